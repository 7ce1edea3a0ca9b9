/** A file system in the tree of folders. */
export interface Mount {
  readonly point: string;
  /** Which part of the file system is seen there. */
  readonly root: string;
  /** As the system names it, e.g. 'ext4', 'nfs4', 'fuse.sshfs'. */
  readonly type: string;
  readonly source: string;
  /** Of the mount and of the file system, e.g. 'rw', 'soft', 'vers=4.2'. */
  readonly options: readonly string[];
}

/** The lines of /proc/self/mountinfo (proc(5)); others are left out. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ', 2);
    const [, , , root, point, options] = before.split(' ');
    const [type, source, superOptions = ''] = (after ?? '').split(' ');
    if (source === undefined || options === undefined) return [];
    return [
      {
        point: plain(point),
        root: plain(root),
        type,
        source: plain(source),
        options: [...new Set([...options.split(','), ...superOptions.split(',')])].filter((option) => option !== ''),
      },
    ];
  });
}

/** Spaces and the like are written as three octal digits. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The file system that holds a path (absolute, without links): the last one mounted on the longest way to it. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const holds = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (holds && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}
