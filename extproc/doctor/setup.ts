import { lstatSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import { addressesOf, type Gateway } from './model.ts';
import { dotted } from './place.ts';
import { metadataOf, processorClusters, providersOf, recordedRoutes } from './recorded.ts';
import type { Finding, Rule } from './rule.ts';
import type { Path, Setting } from './setting.ts';
import { setupReleaseRules } from './setup-release.ts';
import type { Source } from './source.ts';

/** `skilltape.yaml` beside an Envoy configuration: both as they were read. */
export type Setup = {
  config: Config;
  configSource: Source;
  envoySource: Source;
  gateway: Gateway;
  /** From 0 to 1, of the volume of the data directory; null where it is not on this machine. */
  volumeUsedShare: number | null;
};

export type SetupFault = { where: 'skilltape' | 'envoy'; path: Path; found: string; change: string };
export type SetupRule = Omit<Rule, 'find'> & { find(setup: Setup): SetupFault[] };

const connectionKey = 'x-skilltape-connection';
const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Traps between the two files, and of the folders that skilltape writes to. */
export const setupRules: readonly SetupRule[] = [
  {
    id: 'connection-unknown',
    severity: 'critical',
    invariants: [2],
    title: 'A route names a connection that skilltape does not know',
    why: 'Every request of the route is refused.',
    find: ({ config, gateway }) =>
      connectionsOf(gateway)
        .filter(({ text }) => !Object.hasOwn(config.connections, text))
        .map(({ path, text }) => ({
          where: 'envoy',
          path,
          found: `there is no connection ${text} in skilltape.yaml`,
          change: `one of: ${Object.keys(config.connections).join(', ')}`,
        })),
  },
  {
    id: 'connection-without-route',
    severity: 'warning',
    invariants: [],
    title: 'A connection has no route',
    why: 'No caller can reach it through this Envoy.',
    find: ({ config, gateway }) => {
      const routed = new Set(connectionsOf(gateway).map(({ text }) => text));
      return Object.keys(config.connections)
        .filter((name) => !routed.has(name))
        .map((name) => ({
          where: 'skilltape',
          path: ['connections', name],
          found: `no route names the connection ${name}`,
          change: `a route with grpc_initial_metadata ${connectionKey}: ${name}, or remove the connection`,
        }));
    },
  },
  {
    id: 'provider-not-verified',
    severity: 'critical',
    invariants: [5],
    title: "An identity provider's tokens are not verified",
    why: 'skilltape reads the claims from payload_<name> and failures from failed_<name> of the provider with the same issuer; anything else is no identity.',
    find: ({ config, gateway }) =>
      Object.entries(config.identityProviders).flatMap(([name, { issuer }]): SetupFault[] => {
        const path = ['identityProviders', name];
        const payload = `payload_${name}`;
        const provider = providersOf(gateway).find(
          (one) => one.provider.at('payload_in_metadata').text === payload,
        )?.provider;
        const change = `a provider of jwt_authn with payload_in_metadata: ${payload}, failed_status_in_metadata: failed_${name} and this issuer`;
        if (provider === undefined)
          return [{ where: 'skilltape', path, found: `no provider of jwt_authn writes ${payload}`, change }];
        const [failed, verified] = [provider.at('failed_status_in_metadata'), provider.at('issuer')];
        if (failed.isWritten && failed.text !== `failed_${name}`) {
          return [
            {
              where: 'envoy',
              path: failed.path,
              found: `failures of ${name} are written as ${failed.text}`,
              change: `failed_status_in_metadata: failed_${name}`,
            },
          ];
        }
        if (verified.text === issuer) return [];
        return [
          {
            where: 'envoy',
            path: verified.path,
            found: `its issuer is not that of skilltape.yaml (${issuer})`,
            change: `issuer: ${issuer}`,
          },
        ];
      }),
  },
  {
    id: 'processor-elsewhere',
    severity: 'critical',
    invariants: [2],
    title: 'Envoy asks at another place than skilltape listens',
    why: 'Every request is refused, or answered by something else.',
    find: ({ config, gateway }) => {
      const clusters = processorClusters(gateway);
      const places = clusters.flatMap(addressesOf);
      const { socket, tcp } = config.listen;
      const isThere = places.some((place) =>
        tcp === undefined
          ? place.at('pipe', 'path').text === socket
          : place.at('socket_address', 'port_value').number === tcp.port,
      );
      if (isThere || clusters.length === 0) return [];
      const here = tcp === undefined ? `pipe: { path: ${socket} }` : `port_value: ${tcp.port}`;
      const path = clusters[0]?.at('load_assignment').path ?? [];
      return [{ where: 'envoy', path, found: `no endpoint of the processor's cluster has ${here}`, change: here }];
    },
  },
  {
    id: 'workers-not-reached',
    severity: 'warning',
    invariants: [],
    title: 'Some workers get no traffic',
    why: 'Each worker is an endpoint of the cluster; what has none stands idle.',
    find: ({ config, gateway }) => {
      const places = processorClusters(gateway).flatMap(addressesOf).length;
      if (places >= config.workers || places === 0) return [];
      return [
        {
          where: 'skilltape',
          path: ['workers'],
          found: `there are ${config.workers} workers and ${places} endpoints`,
          change: 'an endpoint for each worker (envoy/README.md)',
        },
      ];
    },
  },
  {
    id: 'coverage-off',
    severity: 'warning',
    invariants: [5],
    title: 'Envoy and the record are not compared',
    why: 'What went upstream without a record is found by comparing the access log with it.',
    find: ({ config, gateway }) => {
      const file = config.coverage.accessLogFile;
      const change = 'coverage: { accessLogFile: the path of the access log of Envoy }';
      if (file === undefined)
        return [{ where: 'skilltape', path: ['coverage'], found: 'coverage.accessLogFile is not set', change }];
      const logs = gateway.managers.flatMap(({ config: manager }) =>
        manager.at('access_log').items.map((one) => one.at('typed_config', 'path').text),
      );
      if (logs.includes(file)) return [];
      return [
        { where: 'skilltape', path: ['coverage', 'accessLogFile'], found: `Envoy writes no log at ${file}`, change },
      ];
    },
  },
  {
    id: 'decisions-outlive-requests',
    severity: 'warning',
    invariants: [],
    title: 'Envoy gives a request up while it is judged',
    why: 'When the idle timeout is over before the decision, the caller gets 504 and the decision is for nobody.',
    find: ({ config, gateway }) =>
      gateway.managers
        .map(({ config: manager }) => manager.at('stream_idle_timeout'))
        .filter(
          ({ durationMs }) => durationMs !== undefined && durationMs > 0 && durationMs <= config.decisionTimeoutMs,
        )
        .map(({ path }) => ({
          where: 'envoy',
          path,
          found: `it is not longer than decisionTimeoutMs (${config.decisionTimeoutMs})`,
          change: 'stream_idle_timeout: 660s',
        })),
  },
  ...setupReleaseRules,
  {
    id: 'data-open-to-others',
    severity: 'critical',
    invariants: [6],
    title: 'Other users of the machine may read or change the record',
    why: 'The folder holds the journal, its keys and the embedded index.',
    find: ({ config }) =>
      modeFault(config.dataDirectory, 0o077, ['dataDirectory'], 'chmod 700').concat(
        modeFault(dirname(config.journal.keyFile), 0o077, ['journal', 'keyFile'], 'chmod 700'),
        modeFault(config.journal.keyFile, 0o077, ['journal', 'keyFile'], 'chmod 600'),
        modeFault(masterFile(config), 0o077, ['dataDirectory'], 'chmod 600'),
      ),
  },
  {
    id: 'socket-open-to-others',
    severity: 'critical',
    invariants: [2, 5],
    title: 'Others may put their own processor in the place of skilltape',
    why: 'Who may write to the folder of the socket can replace it, and release what they like.',
    find: ({ config }) => {
      const { socket } = config.listen;
      return socket === undefined ? [] : modeFault(dirname(socket), 0o002, ['listen', 'socket'], 'chmod o-w');
    },
  },
  {
    id: 'volume-nearly-full',
    severity: 'warning',
    invariants: [2],
    title: 'The volume of the data directory is fuller than it may be',
    why: 'A sweep deletes content before its days are over, and from journal.volumeRefuseAtPercent on every new request is refused.',
    find: ({ config, volumeUsedShare: used }) => {
      const { diskBudgetPercent } = config.retention;
      if (used === null || used * 100 <= diskBudgetPercent) return [];
      const found = `${Math.floor(used * 100)} % are used, the disk budget is ${diskBudgetPercent} %, and requests are refused at ${config.journal.volumeRefuseAtPercent} %`;
      const change = 'make room: skilltape retention sweep, another place for other files, or a larger volume';
      return [{ where: 'skilltape', path: ['dataDirectory'], found, change }];
    },
  },
  {
    id: 'one-process',
    severity: 'note',
    invariants: [],
    title: 'One process records and reads',
    why: 'With workers: 1 the same process takes traffic, holds the keys of people and ships to the index: they are kept apart by code alone, not by the operating system.',
    find: ({ config }) => {
      if (config.workers > 1) return [];
      const hasMaster = lstatSync(masterFile(config), { throwIfNoEntry: false }) !== undefined;
      const found = hasMaster ? 'workers is 1, and the private halves of keys are on this machine' : 'workers is 1';
      return [
        { where: 'skilltape', path: ['workers'], found, change: 'workers: 2 or more, each an endpoint in Envoy' },
      ];
    },
  },
  {
    id: 'figures-on-network',
    severity: 'note',
    invariants: [],
    title: 'Figures can be read over the network',
    why: 'Nobody is asked who they are at /metrics: keep it in the network of your monitoring.',
    find: ({ config }) => {
      const { enabled, address } = config.operations;
      if (!enabled || loopback.test(address)) return [];
      return [
        {
          where: 'skilltape',
          path: ['operations', 'address'],
          found: `operations.address is ${address}`,
          change: 'operations: { address: 127.0.0.1 }',
        },
      ];
    },
  },
];

/** Compares the two files, and looks at the folders where they are on this machine. */
export function examineSetup(setup: Setup): Finding[] {
  return setupRules.flatMap(({ find, ...about }) =>
    find(setup).map(({ where, path, found, change }) => {
      const source = where === 'envoy' ? setup.envoySource : setup.configSource;
      return { ...about, file: source.file, line: source.lineOf(path), path: dotted(path), found, change };
    }),
  );
}

function connectionsOf(gateway: Gateway): Setting[] {
  return recordedRoutes(gateway).flatMap(
    ({ route, processor }) => metadataOf(route, processor.name).get(connectionKey) ?? [],
  );
}

/** The private halves of the keys of people are sealed to what is in it. */
function masterFile({ dataDirectory }: Config): string {
  return join(dataDirectory, 'keys', 'master.key');
}

/** What is not there yet is made by skilltape itself, with the right mode. */
function modeFault(file: string, forbidden: number, path: Path, command: string): SetupFault[] {
  let stats: Stats | undefined;
  try {
    stats = lstatSync(file, { throwIfNoEntry: false });
  } catch {
    // A folder on the way may not be entered: then others may not either, and serve says so itself.
    return [];
  }
  if (stats === undefined || (stats.mode & forbidden) === 0) return [];
  const mode = (stats.mode & 0o777).toString(8);
  return [{ where: 'skilltape', path, found: `${file} has mode 0${mode}`, change: `${command} ${file}` }];
}
