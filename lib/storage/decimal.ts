/** An exact decimal number: digits * 10^exponent. World coordinates are decimals in files, and floats would round them. */
export class Decimal {
  private constructor(
    private readonly digits: bigint,
    private readonly exponent: number,
  ) {}

  /** The decimal that a float's shortest text says: 0.1 is one tenth. */
  static of(value: number): Decimal {
    const [mantissa, exponent = '0'] = String(value).split('e');
    const [whole, fraction = ''] = mantissa.split('.');
    return new Decimal(BigInt(whole + fraction), Number(exponent) - fraction.length);
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.digits * other.digits, this.exponent + other.exponent);
  }

  timesPowerOfTen(power: number): Decimal {
    return new Decimal(this.digits, this.exponent + power);
  }

  plus(other: Decimal): Decimal {
    const exponent = Math.min(this.exponent, other.exponent);
    const aligned = (value: Decimal) => value.digits * 10n ** BigInt(value.exponent - exponent);
    return new Decimal(aligned(this) + aligned(other), exponent);
  }

  toNumber(): number {
    return Number(`${this.digits}e${this.exponent}`);
  }

  /** The whole number, or undefined where there is a fraction or it exceeds 2^53 - 1. */
  toInteger(): number | undefined {
    const value = this.toNumber();
    if (!Number.isSafeInteger(value)) return undefined;
    if (this.exponent >= 0) return value;
    return this.digits % 10n ** BigInt(-this.exponent) === 0n ? value : undefined;
  }
}
