import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Executor, WorkerHandle, WorkerRequest } from '../../lib/coordinator/executor.js';
import { LocalExecutor } from '../../lib/workers/local-executor.js';
import { toyWorker } from './toy-run.js';

/** Where the coordinator listens, in its namespace. */
const ADDRESS = '10.99.0.1';

/** The arguments that run a program in a namespace. */
export const within = (namespace: string) => [`--net=/run/netns/${namespace}`];

/** A host for the coordinator and two for workers, each with a link of its own to the coordinator's, as network namespaces. */
export class NetworkNamespaces {
  readonly coordinator = `bw${process.pid}c`;
  readonly workers = [0, 1].map((host) => `bw${process.pid}w${host}`);

  /** Throws where the system does not allow it, with what it said. */
  constructor() {
    try {
      for (const name of [this.coordinator, ...this.workers]) {
        ip('netns', 'add', name);
        ip('-n', name, 'link', 'set', 'dev', 'lo', 'up');
      }
      ip('-n', this.coordinator, 'address', 'add', `${ADDRESS}/32`, 'dev', 'lo');
      for (const [host, name] of this.workers.entries()) {
        ip(
          '-n',
          this.coordinator,
          'link',
          'add',
          'name',
          `link${host}`,
          'type',
          'veth',
          'peer',
          'name',
          'uplink',
          'netns',
          name,
        );
        ip('-n', this.coordinator, 'address', 'add', `10.99.${host + 1}.1/30`, 'dev', `link${host}`);
        ip('-n', name, 'address', 'add', `10.99.${host + 1}.2/30`, 'dev', 'uplink');
        ip('-n', this.coordinator, 'link', 'set', 'dev', `link${host}`, 'up');
        ip('-n', name, 'link', 'set', 'dev', 'uplink', 'up');
        ip('-n', name, 'route', 'add', 'default', 'via', `10.99.${host + 1}.1`);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Every packet is lost, in both directions: it goes to a card that nobody has. */
  cut(host: number): void {
    const nobody = ['lladdr', '02:00:00:00:00:99', 'nud', 'permanent'];
    ip('-n', this.coordinator, 'neighbour', 'replace', `10.99.${host + 1}.2`, 'dev', `link${host}`, ...nobody);
    ip('-n', this.workers[host], 'neighbour', 'replace', `10.99.${host + 1}.1`, 'dev', 'uplink', ...nobody);
  }

  mend(host: number): void {
    ip('-n', this.coordinator, 'neighbour', 'delete', `10.99.${host + 1}.2`, 'dev', `link${host}`);
    ip('-n', this.workers[host], 'neighbour', 'delete', `10.99.${host + 1}.1`, 'dev', 'uplink');
  }

  /** Links that are slow, uneven and lose packets. Throws where the system's kernel cannot do it. */
  slow(): void {
    for (const [host, name] of this.workers.entries()) {
      const how = ['root', 'netem', 'delay', '20ms', '10ms', 'loss', '2%'];
      execFileSync('tc', ['-n', this.coordinator, 'qdisc', 'add', 'dev', `link${host}`, ...how], { stdio: 'pipe' });
      execFileSync('tc', ['-n', name, 'qdisc', 'add', 'dev', 'uplink', ...how], { stdio: 'pipe' });
    }
  }

  remove(): void {
    for (const name of [this.coordinator, ...this.workers]) {
      if (existsSync(`/run/netns/${name}`)) ip('netns', 'delete', name);
    }
  }
}

function ip(...parameters: string[]): void {
  execFileSync('ip', parameters, { stdio: 'pipe' });
}

/** Toy workers, in turn on one and the other host; while a file `cut` is there none of them can be ended from outside. */
export class NamespaceExecutor implements Executor {
  readonly name = 'namespaces';
  readonly listens = 'network';
  readonly listen = { address: ADDRESS, hostToo: true };
  private readonly hosts: readonly LocalExecutor[];
  private started = 0;

  constructor(
    namespaces: readonly string[],
    private readonly cut: string,
  ) {
    this.hosts = namespaces.map((name) => {
      return new LocalExecutor({ command: 'nsenter', args: [...within(name), process.execPath, toyWorker] });
    });
  }

  start(request: WorkerRequest): WorkerHandle {
    const handle = this.hosts[this.started++ % this.hosts.length].start(request);
    const kill = () => {
      if (!existsSync(this.cut)) handle.kill();
    };
    return { ...handle, kill };
  }
}
