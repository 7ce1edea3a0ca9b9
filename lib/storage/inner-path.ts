/** Whether a path names something below a store and cannot lead out of it: names, separated by '/'. */
export function isInnerPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part));
}

/** The path by which a store lies below another; undefined where it does not. */
export function innerPathOf(store: string, outer: string): string | undefined {
  const prefix = innerStore(outer, '/').replace(/\/+$/, '/');
  return store.startsWith(prefix) && isInnerPath(store.slice(prefix.length)) ? store.slice(prefix.length) : undefined;
}

/** What stands below a store, a folder's path or an address; '' is the store itself. */
export function innerStore(store: string, path: string): string {
  return path === '' ? store : `${store.replace(/\/+$/, '')}/${path}`;
}
