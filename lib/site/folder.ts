import { realpath, statfs } from 'node:fs/promises';
import { doubtful, type Finding, good, wrong } from './finding.js';
import { type Mount, mountOf, parseMounts } from './mounts.js';
import { readSystemText } from './read-text.js';
import type { SiteCheck } from './site-check.js';

const GIB = 1024 ** 3;

/** What file system a folder is on, and how much room there is. */
export const folderCheck: SiteCheck = {
  subject: 'folder',
  look: async ({ folder }) => {
    const path = await realpath(folder);
    const mount = mountOf(parseMounts(readSystemText('/proc/self/mountinfo') ?? ''), path);
    const { type, bsize, bavail, files, ffree } = await statfs(path, { bigint: true });
    const fileSystem = mount?.type ?? MAGIC_NUMBERS.get(type) ?? `type 0x${type.toString(16)}`;
    return {
      findings: [
        fileSystemFinding(fileSystem, mount),
        spaceFinding(Number(bsize * bavail)),
        ...inodeFinding(Number(files), Number(ffree)),
      ],
      facts: { folder: { path, fileSystem, shared: isShared(fileSystem) } },
    };
  },
};

/** Of statfs(2), where there is no list of mounts. */
const MAGIC_NUMBERS = new Map([
  [0xef53n, 'ext4'],
  [0x58465342n, 'xfs'],
  [0x9123683en, 'btrfs'],
  [0x2fc12fc1n, 'zfs'],
  [0x01021994n, 'tmpfs'],
  [0x794c7630n, 'overlay'],
  [0x6969n, 'nfs'],
  [0x0bd00bd0n, 'lustre'],
  [0x47504653n, 'gpfs'],
  [0x19830326n, 'beegfs'],
  [0x00c36400n, 'ceph'],
  [0xff534d42n, 'cifs'],
  [0xfe534d42n, 'smb3'],
  [0x01021997n, '9p'],
  [0x65735546n, 'fuse'],
]);

/** File systems of several hosts that do what a run needs. */
const SHARED =
  /^(nfs4?|lustre|gpfs|mmfs|beegfs|ceph|fuse\.ceph(-fuse)?|panfs|wekafs|orangefs|pvfs2|fuse\.glusterfs|glusterfs|fhgfs|quobyte|fuse\.quobyte|vast|afs|ocfs2|gfs2)$/;
/** That come from elsewhere too, and lack something: hard links, renames that replace, permissions. */
const HALF =
  /^(cifs|smb3|smbfs|9p|vboxsf|fuse\.(sshfs|s3fs|goofys|rclone|gcsfuse|mount-s3|vmhgfs-fuse|hdfs.*)|virtiofs)$/;
const IN_MEMORY = /^(tmpfs|ramfs|rootfs)$/;

/** Whether other hosts see the same files, as far as the type tells. */
export const isShared = (fileSystem: string) => SHARED.test(fileSystem) || HALF.test(fileSystem);

export function fileSystemFinding(fileSystem: string, mount?: Pick<Mount, 'source' | 'options'>): Finding {
  const what = 'file system';
  const found = `${fileSystem}${mount === undefined ? '' : `, ${mount.source}`}`;
  const has = (option: string) => mount?.options.includes(option) ?? false;
  if (has('ro')) return wrong(what, `${found}, for reading alone`, 'Take a folder that can be written to');
  if (IN_MEMORY.test(fileSystem)) {
    return doubtful(what, `${found}: in memory, gone when the machine stops`, 'Keep runs on a disk');
  }
  if (fileSystem === 'overlay' || fileSystem === 'aufs') {
    const advice = 'Mount a folder of the host into the container and run there';
    return doubtful(what, `${found}: of a container, and gone with it`, advice);
  }
  if (HALF.test(fileSystem)) {
    return doubtful(what, found, 'Look at what follows; where you can, keep runs on a local disk, NFS, Lustre or GPFS');
  }
  if (/^nfs/.test(fileSystem)) {
    if (has('soft')) {
      const advice = 'Have it mounted `hard`: a busy server else becomes an error of reading or writing';
      return doubtful(what, `${found}, mounted soft`, advice);
    }
    if (has('nolock') || mount?.options.some((option) => /^local_lock=(?!none)/.test(option))) {
      const advice = 'Run only one coordinator for a graph: locks of files do not reach other hosts here';
      return doubtful(what, `${found}, without locks on the server`, advice);
    }
    return good(what, `${found}, shared`);
  }
  return good(what, SHARED.test(fileSystem) ? `${found}, shared` : `${found}, of this machine`);
}

/** @param bytes that this user may still write */
export function spaceFinding(bytes: number): Finding {
  const found = `${(bytes / GIB).toFixed(1)} GiB free`;
  const advice = 'Make room, or take another folder; `blockwright plan` says what a run writes';
  if (bytes < GIB / 4) return wrong('space', found, advice);
  return bytes < 10 * GIB ? doubtful('space', found, advice) : good('space', found);
}

/** Nothing where the file system has no fixed number of files. */
export function inodeFinding(all: number, free: number): Finding[] {
  if (all <= 0) return [];
  const found = `${Math.max(0, free)} more can be made`;
  const advice = 'Remove files, or take another folder or a larger quota; large shards make fewer files';
  if (free < 1_000) return [wrong('files', found, advice)];
  return [free < 100_000 ? doubtful('files', found, advice) : good('files', found)];
}
