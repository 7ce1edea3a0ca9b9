/** Blocks in a row that a host must fail before it is avoided: where none ever succeeded, and where some did. */
const NEW_HOST = 3;
const PROVEN_HOST = 10;

/** A block that failed on a host, and what was counted against it. */
export interface HostFault {
  readonly task: number;
  readonly block: number;
  readonly what: 'failure' | 'loss';
}

interface Host {
  succeeded: boolean;
  /** Since its last success. */
  faults: HostFault[];
  /** Blocks done elsewhere since then. */
  elsewhere: number;
}

/**
 * Finds black holes: hosts that fail block after block, each quickly, while others get on. Such a host would take most of a
 * run's blocks and fail them all.
 */
export class HostWatch {
  readonly excluded = new Set<string>();
  private readonly hosts = new Map<string, Host>();

  /** A block is done, on this host. */
  succeeded(name: string | undefined): void {
    if (name === undefined) return;
    const own = this.host(name);
    own.succeeded = true;
    if (own.faults.length > 0) own.faults = [];
    own.elsewhere = 0;
    // one host: the usual case, and that of every block
    if (this.hosts.size === 1) return;
    for (const [other, host] of this.hosts) if (other !== name && host.faults.length > 0) host.elsewhere++;
  }

  /**
   * A block failed on this host, or was lost there.
   *
   * @returns when the host is to be avoided from now on: what it failed, to be taken back
   */
  failed(name: string | undefined, fault: HostFault): readonly HostFault[] | undefined {
    if (name === undefined || this.excluded.has(name)) return undefined;
    const host = this.host(name);
    if (host.faults.length === 0) host.elsewhere = 0;
    host.faults.push(fault);
    const distinct = new Set(host.faults.map(({ task, block }) => `${task} ${block}`)).size;
    const enough = host.succeeded ? PROVEN_HOST : NEW_HOST;
    // where others fail as much, the blocks are to blame
    if (distinct < enough || host.elsewhere < enough) {
      if (host.faults.length > 100) host.faults.shift();
      return undefined;
    }
    this.excluded.add(name);
    return host.faults;
  }

  private host(name: string): Host {
    let host = this.hosts.get(name);
    if (host === undefined) {
      host = { succeeded: false, faults: [], elsewhere: 0 };
      this.hosts.set(name, host);
    }
    return host;
  }
}
