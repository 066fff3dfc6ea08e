import { dottedKey, type Fault } from './fault.ts';
import { isSection, valueAt } from './section.ts';

type Entry = { name: string; entry: object };

/**
 * What connections, identity providers and the `envoy` section must have of each other. Works on the data as written,
 * like `findIncoherence`. `read` gives the value of a key with its default.
 */
export function checkConnections(data: unknown, read: (key: string) => unknown): Fault[] {
  const connections = entriesOf(data, 'connections');
  const providers = entriesOf(data, 'identityProviders');
  return [
    ...connections.flatMap((connection) => [
      ...unknownProviders(connection, valueAt(data, 'identityProviders'), providers),
      ...missingPublicUrl(connection),
      ...missingReleaseSocket(connection, data),
      ...limitsAbove(connection, read),
      ...prototypeKeys(connection),
    ]),
    ...sharedValues(
      providers.map(({ name, entry }) => [['identityProviders', name, 'issuer'], Reflect.get(entry, 'issuer')]),
      'a token is known by its issuer: give each provider its own',
    ),
    ...checkRendering(data, connections, providers),
  ];
}

/** What only `skilltape envoy render` needs, and so only where there is an `envoy` section. */
function checkRendering(data: unknown, connections: readonly Entry[], providers: readonly Entry[]): Fault[] {
  if (!isSection(valueAt(data, 'envoy'))) return [];
  const missing = (section: string, key: string, remedy: string) => (each: Entry) =>
    Reflect.get(each.entry, key) === undefined
      ? [{ key: dottedKey([section, each.name, key]), message: 'is missing, and the envoy section needs it', remedy }]
      : [];
  return [
    ...connections.flatMap(missing('connections', 'upstream', 'name its host')),
    ...providers.flatMap(missing('identityProviders', 'jwksUri', "take it from the provider's discovery document")),
    ...sharedValues(
      connections.map(({ name, entry }) => [['connections', name, 'routePrefix'], prefixOf(name, entry)]),
      'a path must lead to one connection',
    ),
    ...checkProcessor(data),
  ];
}

function prefixOf(name: string, entry: object): unknown {
  return Reflect.get(entry, 'routePrefix') ?? `/${name}`;
}

function checkProcessor(data: unknown): Fault[] {
  const isTcp = valueAt(data, 'listen.tcp') !== undefined;
  const isGiven = valueAt(data, 'envoy.processor') !== undefined;
  if (isTcp === isGiven) return [];
  return isTcp
    ? [
        {
          key: 'envoy.processor',
          message: 'is missing, but listen.tcp needs it',
          remedy: 'name the host of the processor and the certificate that Envoy shows it',
        },
      ]
    : [{ key: 'envoy.processor', message: 'is given, but the processor has no listen.tcp', remedy: 'remove it' }];
}

function unknownProviders({ name, entry }: Entry, section: unknown, providers: readonly Entry[]): Fault[] {
  const wanted: unknown = Reflect.get(entry, 'identityProviders');
  // What is no section is another fault.
  if (!Array.isArray(wanted) || (section !== undefined && !isSection(section))) return [];
  return wanted
    .filter((one): one is string => typeof one === 'string' && one !== '')
    .filter((one) => !providers.some((provider) => provider.name === one))
    .map((one) => ({
      key: dottedKey(['connections', name, 'identityProviders']),
      message: `names ${JSON.stringify(one.slice(0, 80))}, which identityProviders does not have`,
      remedy: 'add it there or correct the name',
    }));
}

function missingPublicUrl({ name, entry }: Entry): Fault[] {
  if (Reflect.get(entry, 'rewriteResultsUrl') !== true || Reflect.get(entry, 'publicUrl') !== undefined) return [];
  return [
    {
      key: dottedKey(['connections', name, 'rewriteResultsUrl']),
      message: 'is true, but the connection has no publicUrl',
      remedy: 'give the URL by which callers reach the connection through the gateway',
    },
  ];
}

function missingReleaseSocket({ name, entry }: Entry, data: unknown): Fault[] {
  if (Reflect.get(entry, 'streamHolds') !== true) return [];
  if (valueAt(data, 'approvals.streamed.releaseSocket') !== undefined) return [];
  return [
    {
      key: dottedKey(['connections', name, 'streamHolds']),
      message: 'is true, but approvals.streamed.releaseSocket is not set',
      remedy: 'give a path beside that of listen.socket, such as /run/skilltape/release.sock',
    },
  ];
}

/** The limits of all are what memory and journal have room for. */
function limitsAbove({ name, entry }: Entry, read: (key: string) => unknown): Fault[] {
  const limits: unknown = Reflect.get(entry, 'limits');
  if (!isSection(limits)) return [];
  return Object.entries(limits).flatMap(([limit, value]) => {
    const most = read(`limits.${limit}`);
    if (typeof value !== 'number' || typeof most !== 'number' || value <= most) return [];
    const key = dottedKey(['connections', name, 'limits', limit]);
    return [{ key, message: `is ${value}, more than limits.${limit} (${most})`, remedy: `lower it or raise that` }];
  });
}

/** YAML gives such a key like any other, and whoever copies the data would lose it or worse. */
function prototypeKeys({ name, entry }: Entry): Fault[] {
  const has = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, '__proto__') || Object.values(value).some((inner) => has(inner)));
  if (!has(Reflect.get(entry, 'policyData'))) return [];
  return [
    {
      key: dottedKey(['connections', name, 'policyData']),
      message: 'has a key __proto__',
      remedy: 'give it another name',
    },
  ];
}

/** Each value that stands a second time. */
function sharedValues(values: readonly (readonly [path: string[], value: unknown])[], why: string): Fault[] {
  const first = new Map<unknown, string>();
  return values.flatMap(([path, value]) => {
    const key = dottedKey(path);
    if (typeof value !== 'string') return [];
    const other = first.get(value);
    if (other === undefined) first.set(value, key);
    return other === undefined
      ? []
      : [{ key, message: `is ${JSON.stringify(value.slice(0, 200))}, as ${other} is`, remedy: why }];
  });
}

function entriesOf(data: unknown, section: string): Entry[] {
  const entries = valueAt(data, section);
  if (!isSection(entries)) return [];
  return Object.entries(entries).flatMap(([name, entry]) => (isSection(entry) ? [{ name, entry }] : []));
}
