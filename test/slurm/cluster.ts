import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CPUS = 2;
const NODES = 3;

/** Why there can be no cluster here; undefined when there can. */
export function noCluster(): string | undefined {
  if (process.platform !== 'linux') return `made for Linux, this is ${process.platform}`;
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin'];
  const missing = ['slurmctld', 'slurmd', 'sbatch', 'munged'].filter(
    (name) => !folders.some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length > 0) return `no ${missing.join(', ')} here (on Debian or Ubuntu: packages slurm-wlm and munge)`;
  return process.getuid?.() === 0 ? undefined : 'daemons of SLURM need root';
}

export interface ClusterOptions {
  /** Further lines of slurm.conf. */
  readonly lines?: readonly string[];
}

/**
 * A SLURM cluster of three nodes on this machine: its own munged, slurmctld and three slurmd, all in a temporary folder and on
 * the loopback interface. The machine's own configuration of SLURM is neither read nor changed.
 *
 * Partition `main` is the default; jobs of `urgent` preempt its jobs, and end or requeue them.
 */
export class Cluster {
  private readonly nodes: ChildProcess[] = [];
  private readonly others: ChildProcess[] = [];

  private constructor(readonly folder: string) {}

  /** Resolves when all nodes are idle. */
  static async start({ lines = [] }: ClusterOptions = {}): Promise<Cluster> {
    // daemons and jobs write here; munged wants folders above its socket that others cannot write to, or a sticky one
    const cluster = new Cluster(mkdtempSync(join(tmpdir(), 'slurm-')));
    try {
      await cluster.begin(lines);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Environment of commands for this cluster. */
  get env(): Record<string, string> {
    return { SLURM_CONF: join(this.folder, 'slurm.conf') };
  }

  /** What a command of SLURM prints; throws where it fails. */
  call(command: string, ...args: string[]): string {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      env: { ...process.env, ...this.env },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
    return stdout;
  }

  /** All jobs that have not ended, whoever submitted them, e.g. '3_0 RUNNING n1 name'. */
  jobs(): string[] {
    return this.call('squeue', '-h', '-r', '-o', '%i %T %N %j')
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Kills a node's slurmd, as when the node is cut off: what runs there goes on. */
  killNode(node: number): void {
    this.nodes[node].kill('SIGKILL');
  }

  /** Kills a node's slurmd and all that runs there, as when its power fails. */
  powerOff(node: number): void {
    this.killNode(node);
    for (const pid of this.left()) {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (environment.includes(`SLURMD_NODENAME=n${node}`)) process.kill(pid, 'SIGKILL');
      } catch {
        // it has just ended
      }
    }
  }

  /** Starts the slurmd of a node that was killed. */
  async startNode(node: number): Promise<void> {
    this.nodes[node] = this.daemon('slurmd', '-D', '-N', `n${node}`);
    await this.until(`node n${node} is up`, () => /^(idle|mixed|allocated)$/.test(this.stateOf(`n${node}`)));
  }

  /** Kills the controller: no command gets an answer until {@link startController}. */
  killController(): void {
    this.others[1].kill('SIGKILL');
  }

  async startController(): Promise<void> {
    this.others[1] = this.daemon('slurmctld', '-D', '-i');
    await this.until('the controller answers', () => this.answers());
  }

  /** Ends jobs and daemons, and removes the folder. */
  async stop(): Promise<void> {
    const daemons = [...this.nodes, ...this.others];
    try {
      if (this.nodes.length > 0 && this.answers()) {
        spawnSync('scancel', ['--user=root'], { env: { ...process.env, ...this.env } });
        await this.until('the queue is empty', () => this.jobs().length === 0).catch(() => undefined);
      }
    } finally {
      for (const daemon of daemons) daemon.kill('SIGTERM');
      await Promise.all(daemons.map(ended));
      for (const pid of this.left()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // it has just ended
        }
      }
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** Processes that daemons and jobs of this cluster left. */
  left(): number[] {
    const mark = `SLURM_CONF=${this.env.SLURM_CONF}`;
    return readdirSync('/proc').flatMap((entry) => {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid === process.pid) return [];
      try {
        return readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(mark) ? [pid] : [];
      } catch {
        return [];
      }
    });
  }

  private async begin(lines: readonly string[]): Promise<void> {
    for (const name of ['munge', 'state', 'log']) mkdirSync(join(this.folder, name), { mode: 0o755 });
    const munge = (name: string) => join(this.folder, 'munge', name);
    writeFileSync(munge('key'), randomBytes(128), { mode: 0o600 });
    this.others.push(
      this.daemon(
        'munged',
        ...['--foreground', '--force', '--num-threads=2', `--key-file=${munge('key')}`, `--socket=${munge('socket')}`],
        ...[`--pid-file=${munge('pid')}`, `--log-file=${munge('log')}`, `--seed-file=${munge('seed')}`],
      ),
    );
    await this.until('munged listens', () => existsSync(munge('socket')));
    writeFileSync(join(this.folder, 'slurm.conf'), await this.configuration(lines));
    this.others.push(this.daemon('slurmctld', '-D', '-c', '-i'));
    for (let node = 0; node < NODES; node++) this.nodes.push(this.daemon('slurmd', '-D', '-N', `n${node}`));
    await this.until('all nodes are idle', () => {
      return (
        this.answers() && Array.from({ length: NODES }, (_, i) => this.stateOf(`n${i}`)).every((s) => s === 'idle')
      );
    });
  }

  private async configuration(lines: readonly string[]): Promise<string> {
    const [controller, ...ports] = await sparePorts(1 + NODES);
    const host = hostname().split('.')[0];
    return [
      'ClusterName=test',
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${controller}`,
      'CommunicationParameters=NoCtldInAddrAny,NoInAddrAny',
      'SlurmUser=root',
      'AuthType=auth/munge',
      `AuthInfo=socket=${join(this.folder, 'munge', 'socket')}`,
      `StateSaveLocation=${join(this.folder, 'state')}`,
      `SlurmdSpoolDir=${join(this.folder, 'spool-%n')}`,
      `SlurmctldPidFile=${join(this.folder, 'slurmctld.pid')}`,
      `SlurmdPidFile=${join(this.folder, 'slurmd-%n.pid')}`,
      `SlurmctldLogFile=${join(this.folder, 'log', 'slurmctld')}`,
      `SlurmdLogFile=${join(this.folder, 'log', 'slurmd-%n')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_CPU',
      'MpiDefault=none',
      'ReturnToService=2',
      'SlurmctldTimeout=10',
      'SlurmdTimeout=10',
      'KillWait=8',
      'AccountingStorageType=accounting_storage/none',
      'JobAcctGatherType=jobacct_gather/none',
      'SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0',
      'PreemptType=preempt/partition_prio',
      'PreemptMode=REQUEUE',
      ...lines,
      ...ports.map((port, i) => {
        return `NodeName=n${i} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port} CPUs=${CPUS} RealMemory=2000`;
      }),
      'PartitionName=main Nodes=ALL Default=YES PriorityTier=1 PreemptMode=REQUEUE',
      'PartitionName=urgent Nodes=ALL PriorityTier=2 PreemptMode=OFF',
      '',
    ].join('\n');
  }

  private daemon(command: string, ...args: string[]): ChildProcess {
    const env = { ...process.env, ...this.env, PATH: `${process.env.PATH}:/usr/sbin` };
    return spawn(command, args, { env, cwd: this.folder, stdio: 'ignore' });
  }

  private answers(): boolean {
    return spawnSync('scontrol', ['ping'], { env: { ...process.env, ...this.env }, encoding: 'utf8' }).status === 0;
  }

  private stateOf(node: string): string {
    return this.call('sinfo', '-h', '-N', '-n', node, '-p', 'main', '-o', '%T').trim();
  }

  private async until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + 60_000;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`waited in vain until ${what}; logs: ${this.logs()}`);
      await delay(100);
    }
  }

  private logs(): string {
    const folder = join(this.folder, 'log');
    if (!existsSync(folder)) return 'none';
    return readdirSync(folder)
      .map((name) => `\n${name}:\n${readFileSync(join(folder, name), 'utf8').slice(-1000)}`)
      .join('');
  }
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode === null && process.signalCode === null && process.pid !== undefined) {
    const kill = setTimeout(() => process.kill('SIGKILL'), 10_000);
    await new Promise((resolve) => process.once('exit', resolve));
    clearTimeout(kill);
  }
}

/** Ports of the loopback interface that nobody listens on. */
async function sparePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
