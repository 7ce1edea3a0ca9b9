/** Values that are made when first asked for and then kept. One whose making failed is made again. */
export class Once {
  private readonly values = new Map<string, Promise<unknown>>();

  get<Value>(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = this.values.get(key);
    if (known !== undefined) return known as Promise<Value>;
    const value = make();
    this.values.set(key, value);
    value.catch(() => this.values.delete(key));
    return value;
  }
}
