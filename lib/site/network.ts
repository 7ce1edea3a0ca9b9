import { lookup } from 'node:dns/promises';
import { hostname, type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { absent, doubtful, type Finding, good } from './finding.js';
import { readSystemText } from './read-text.js';
import type { SiteCheck } from './site-check.js';
import type { Interface } from './site-facts.js';

/** Interfaces by which other hosts could reach a coordinator here. */
export const networkCheck: SiteCheck = {
  subject: 'network',
  look: async () => {
    const interfaces = candidates(networkInterfaces(), speedOf);
    const [first] = interfaces;
    const findings: Finding[] = [];
    if (first === undefined) {
      findings.push(absent('interfaces', 'none beside the loopback: workers of other hosts cannot connect'));
    } else {
      const text = interfaces.map(({ name, address }) => `${name} ${address}`).join(', ');
      findings.push(good('interfaces', text));
      findings.push(
        good('for a coordinator', `${first.name} (${first.address}); a job shows whether it can be reached`),
      );
    }
    findings.push(await nameFinding());
    return { findings, facts: first === undefined ? {} : { listen: first } };
  },
};

/** The addresses that a name of an interface, or an address, means; all that others may reach where none is given. */
export function interfacesFor(listen: string | undefined): Interface[] {
  const found = networkInterfaces();
  if (listen === undefined) return candidates(found, speedOf);
  return Object.entries(found)
    .flatMap(([name, addresses = []]) => addresses.map(({ address }) => ({ name, address })))
    .filter(
      ({ name, address }) => (name === listen || address === listen) && !address.toLowerCase().startsWith('fe80:'),
    );
}

/** Bridges of containers and virtual machines, and other ends that no other host sees. */
const INNER = /^(docker|br-|virbr|veth|cni|flannel|cali|podman|lxc|vmnet|tailscale|utun|ifb|dummy)/;
const INFINIBAND = /^ib/;

/** The addresses of other interfaces than the loopback, the most likely to be reached and fastest first; IPv4 before IPv6. */
export function candidates(
  found: NodeJS.Dict<NetworkInterfaceInfo[]>,
  speed: (name: string) => number = () => 0,
): Interface[] {
  return Object.entries(found)
    .flatMap(([name, addresses = []]) => addresses.map((address) => ({ name, ...address })))
    .filter(({ name, internal, address }) => !internal && !INNER.test(name) && !/^(169\.254\.|fe80:)/i.test(address))
    .map(({ name, address, family }) => ({ name, address, rank: family === 'IPv4' ? 0 : 1 }))
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        Number(INFINIBAND.test(b.name)) - Number(INFINIBAND.test(a.name)) ||
        speed(b.name) - speed(a.name),
    )
    .map(({ name, address }) => ({ name, address }));
}

/** Megabits a second; 0 where the system does not tell. */
function speedOf(name: string): number {
  const speed = Number(readSystemText(`/sys/class/net/${name}/speed`)?.trim());
  return Number.isFinite(speed) ? Math.max(speed, 0) : 0;
}

async function nameFinding(): Promise<Finding> {
  const name = hostname();
  try {
    const addresses = await lookup(name, { all: true });
    return good('host name', `${name} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch {
    const advice = 'Addresses are used, not names, so runs are not concerned; the cluster may be';
    return doubtful('host name', `${name} has no address`, advice);
  }
}
