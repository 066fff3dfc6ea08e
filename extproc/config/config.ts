import { join, resolve } from 'node:path';
import { elasticsearchFiles } from './index-coherence.ts';
import type { WrittenConfig } from './schema.ts';
import { settleEnvoy } from './settle-envoy.ts';

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** Over a unix socket the permissions of its folder guard the processor; over TCP mutual TLS does. */
export type ListenConfig = { socket: string; tcp?: never } | { tcp: TcpListenConfig; socket?: never };

export type TcpListenConfig = {
  address: string;
  port: number;
  tls: {
    certificateFile: string;
    privateKeyFile: string;
    clientCaFile: string;
  };
};

/**
 * The whole configuration, frozen, every path absolute. `connections` and `identityProviders` have no prototype: a name
 * from outside, such as `constructor`, finds nothing but what the operator wrote.
 */
export type Config = Frozen<
  Omit<WrittenConfig, 'listen' | 'journal' | 'archive'> & {
    listen: ListenConfig;
    journal: WrittenConfig['journal'] & { keyFile: string };
    archive: WrittenConfig['archive'] & { signingKeyFile: string };
  }
>;

/** Makes paths absolute, as seen from the folder of the file, fills in derived defaults and freezes. */
export function settle(written: WrittenConfig, directory: string): Config {
  const dataDirectory = resolve(directory, written.dataDirectory);
  return freeze({
    ...written,
    dataDirectory,
    listen: settleListen(written.listen, directory),
    ...settleEnvoy(written, directory),
    journal: {
      ...written.journal,
      keyFile: within(directory, written.journal.keyFile, join(dataDirectory, 'keys', 'journal.key')),
    },
    archive: settleArchive(written.archive, directory, dataDirectory),
    index: settleIndex(written.index, directory),
    keys: settleKeys(written.keys, directory),
    policies: { ...written.policies, directory: resolve(directory, written.policies.directory) },
    approvals: settleApprovals(written.approvals, directory),
    usage: settleUsage(written.usage, directory),
    coverage: settleCoverage(written.coverage, directory),
    ...(written.console && { console: settleConsole(written.console, directory) }),
  });
}

function settleListen(listen: WrittenConfig['listen'], directory: string): ListenConfig {
  if (listen.tcp === undefined) return { socket: resolve(directory, listen.socket ?? '') };
  const { certificateFile, privateKeyFile, clientCaFile } = listen.tcp.tls;
  return {
    tcp: {
      address: listen.tcp.address,
      port: listen.tcp.port,
      tls: {
        certificateFile: resolve(directory, certificateFile),
        privateKeyFile: resolve(directory, privateKeyFile),
        clientCaFile: resolve(directory, clientCaFile),
      },
    },
  };
}

function settleIndex(index: WrittenConfig['index'], directory: string): WrittenConfig['index'] {
  if (index.elasticsearch === undefined) return index;
  const elasticsearch = { ...index.elasticsearch };
  for (const name of elasticsearchFiles) {
    const file = elasticsearch[name];
    if (file !== undefined) elasticsearch[name] = resolve(directory, file);
  }
  return { ...index, elasticsearch };
}

function settleArchive(
  { signingKeyFile, checkpointFile, ...rest }: WrittenConfig['archive'],
  directory: string,
  dataDirectory: string,
) {
  return {
    ...rest,
    signingKeyFile: within(directory, signingKeyFile, join(dataDirectory, 'keys', 'archive-signing.key')),
    ...(checkpointFile !== undefined && { checkpointFile: resolve(directory, checkpointFile) }),
  };
}

const targetFiles = ['urlFile', 'secretFile', 'smtpUserFile', 'smtpPasswordFile'] as const;

function settleApprovals(approvals: WrittenConfig['approvals'], directory: string): WrittenConfig['approvals'] {
  const targets = Object.entries(approvals.notify.targets).map(([name, written]) => {
    const target = { ...written };
    for (const key of targetFiles) {
      const file = target[key];
      if (file !== undefined) target[key] = resolve(directory, file);
    }
    return [name, target] as const;
  });
  const { releaseSocket, ...streamed } = approvals.streamed;
  const release = releaseSocket === undefined ? {} : { releaseSocket: resolve(directory, releaseSocket) };
  return {
    ...approvals,
    notify: { ...approvals.notify, targets: Object.fromEntries(targets) },
    streamed: { ...streamed, ...release },
  };
}

function settleKeys(keys: WrittenConfig['keys'], directory: string): WrittenConfig['keys'] {
  const { transit } = keys;
  return transit === undefined
    ? keys
    : { ...keys, transit: { ...transit, tokenFile: resolve(directory, transit.tokenFile) } };
}

function settleUsage({ pricesFile }: WrittenConfig['usage'], directory: string): WrittenConfig['usage'] {
  return pricesFile === undefined ? {} : { pricesFile: resolve(directory, pricesFile) };
}

function settleCoverage(coverage: WrittenConfig['coverage'], directory: string): WrittenConfig['coverage'] {
  const { accessLogFile } = coverage;
  return accessLogFile === undefined ? coverage : { ...coverage, accessLogFile: resolve(directory, accessLogFile) };
}

function settleConsole(section: NonNullable<WrittenConfig['console']>, directory: string): typeof section {
  const { caFile, clientSecretFile, tls } = section;
  return {
    ...section,
    ...(caFile !== undefined && { caFile: resolve(directory, caFile) }),
    ...(clientSecretFile !== undefined && { clientSecretFile: resolve(directory, clientSecretFile) }),
    ...(tls && {
      tls: {
        certificateFile: resolve(directory, tls.certificateFile),
        privateKeyFile: resolve(directory, tls.privateKeyFile),
      },
    }),
  };
}

function within(directory: string, written: string | undefined, byDefault: string): string {
  return written === undefined ? byDefault : resolve(directory, written);
}

function freeze<T extends object>(value: T): Frozen<T> {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) freeze(inner);
  }
  return Object.freeze(value) as Frozen<T>;
}
