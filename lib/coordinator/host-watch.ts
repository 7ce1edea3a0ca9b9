/** Blocks in a row that a host must fail before it is suspected: where none ever succeeded, and where some did. */
const NEW_HOST = 3;
const PROVEN_HOST = 10;

/** A block that failed on a host, and what was counted against it. */
export interface HostFault {
  readonly task: number;
  readonly block: number;
  readonly what: 'failure' | 'loss';
}

/** A host that is avoided from now on, and what it failed. */
export interface ExcludedHost {
  readonly host: string;
  readonly faults: readonly HostFault[];
}

class Host {
  succeeded = false;
  /** Since its last success. */
  faults: HostFault[] = [];
  /** Blocks done elsewhere since the first of them. */
  elsewhere = 0;

  get enough(): number {
    return this.succeeded ? PROVEN_HOST : NEW_HOST;
  }
}

/**
 * Finds black holes: hosts that fail block after block, each quickly, while others get on. Such a host would take most of a
 * run's blocks and fail them all. After a few blocks in a row it is suspected; once as many were done elsewhere since, it is
 * excluded. Where others fail as much, the blocks are to blame.
 */
export class HostWatch {
  readonly excluded = new Set<string>();
  private readonly hosts = new Map<string, Host>();
  private readonly suspected = new Set<string>();

  /** Whether any host is suspected. */
  get suspecting(): boolean {
    return this.suspected.size > 0;
  }

  suspects(name: string): boolean {
    return this.suspected.has(name);
  }

  /** There is such a host. */
  meet(name: string): void {
    this.host(name);
  }

  /** A block is done, on this host. */
  succeeded(name: string): readonly ExcludedHost[] {
    const own = this.host(name);
    own.succeeded = true;
    if (own.faults.length > 0) {
      own.faults = [];
      this.suspected.delete(name);
    }
    // one host: the usual case, and that of every block
    if (this.hosts.size === 1) return [];
    for (const [other, host] of this.hosts) if (other !== name && host.faults.length > 0) host.elsewhere++;
    return this.suspected.size === 0 ? [] : this.verdicts();
  }

  /** A block failed on this host, or was lost there. */
  failed(name: string, fault: HostFault): readonly ExcludedHost[] {
    const host = this.host(name);
    if (host.faults.length === 0) host.elsewhere = 0;
    host.faults.push(fault);
    if (host.faults.length > 10 * PROVEN_HOST) host.faults.shift();
    const distinct = new Set(host.faults.map(({ task, block }) => `${task} ${block}`)).size;
    if (distinct >= host.enough && !this.excluded.has(name)) this.suspected.add(name);
    if (2 * this.suspected.size > this.hosts.size - this.excluded.size) this.acquit();
    return this.verdicts();
  }

  /** Where most hosts fail, the blocks are to blame: what happened so far says nothing of any host. */
  private acquit(): void {
    for (const host of this.hosts.values()) host.faults = [];
    this.suspected.clear();
  }

  private verdicts(): ExcludedHost[] {
    const found: ExcludedHost[] = [];
    for (const name of this.suspected) {
      const { elsewhere, enough, faults } = this.host(name);
      if (elsewhere < enough) continue;
      this.suspected.delete(name);
      this.excluded.add(name);
      found.push({ host: name, faults });
    }
    return found;
  }

  private host(name: string): Host {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const host = new Host();
    this.hosts.set(name, host);
    return host;
  }
}
