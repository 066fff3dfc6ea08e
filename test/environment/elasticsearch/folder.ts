import { chownSync, cpSync, globSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { realmFiles } from '../../../extproc/demo/compose/accounts.ts';
import { createAuthority, writeCertificate } from '../../fakes/certificates.ts';

/** A user of the file realm. */
export type ElasticsearchUser = { readonly name: string; readonly password: string; readonly roles: readonly string[] };

/** TLS and users; without it a server has neither. `roles` is the text of roles.yml. */
export type Security = { readonly roles: string; readonly users: readonly ElasticsearchUser[] };

/** The folder of one node, with everything that it reads and writes in it. */
export type NodeFolder = {
  readonly path: string;
  readonly configuration: string;
  /** The authority that the server's certificate was issued by, PEM. */
  readonly ca: string | undefined;
  /** The account of the operating system that the server runs under, where it may not be the one of the test. */
  readonly account: { uid: number; gid: number } | undefined;
  /** The unpacked distribution, readable for that account. */
  readonly home: string;
  /** Port 0 lets the system choose one. */
  writeSettings(httpPort: number): void;
};

/** `nobody` on Linux: Elasticsearch refuses to run as root. */
const unprivileged = { uid: 65534, gid: 65534 };

const jvmOptions = `-Xms512m
-Xmx512m
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-XX:-AlwaysPreTouch
-XX:+ExitOnOutOfMemoryError
-Djava.io.tmpdir=\${ES_TMPDIR}
20-:--add-modules=jdk.incubator.vector
`;

const logging = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`;

/** Makes the folder under the system's temporary one; the caller removes it. */
export async function makeNodeFolder(
  distribution: string,
  security: Security | undefined,
  settings: Readonly<Record<string, unknown>>,
): Promise<NodeFolder> {
  const path = mkdtempSync(join(tmpdir(), 'skilltape-elasticsearch-'));
  const configuration = join(path, 'config');
  for (const name of ['config', 'data', 'logs', 'tmp', 'repository']) mkdirSync(join(path, name));
  writeFileSync(join(configuration, 'jvm.options'), jvmOptions);
  writeFileSync(join(configuration, 'log4j2.properties'), logging);
  const ca = security === undefined ? undefined : await writeSecurity(configuration, security);
  const account = process.getuid?.() === 0 ? unprivileged : undefined;
  const writeSettings = (httpPort: number): void => {
    const all = { ...basicSettings(path, httpPort), ...securitySettings(configuration, ca !== undefined), ...settings };
    writeFileSync(join(configuration, 'elasticsearch.yml'), stringify(all));
  };
  writeSettings(0);
  if (account === undefined) return { path, configuration, ca, account, home: distribution, writeSettings };
  for (const name of ['.', ...globSync('**/*', { cwd: path })]) chownSync(join(path, name), account.uid, account.gid);
  // The tool cache lies in root's home, where the server cannot look.
  const home = join(path, 'home');
  cpSync(distribution, home, { recursive: true });
  return { path, configuration, ca, account, home, writeSettings };
}

function basicSettings(path: string, httpPort: number): Record<string, unknown> {
  return {
    'cluster.name': 'skilltape-test',
    'node.name': 'skilltape-test',
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': httpPort,
    'transport.port': 0,
    'path.data': join(path, 'data'),
    'path.logs': join(path, 'logs'),
    'path.repo': [join(path, 'repository')],
    // The disk of the machine that tests run on may be fuller than a server likes.
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'action.destructive_requires_name': false,
  };
}

function securitySettings(configuration: string, secured: boolean): Record<string, unknown> {
  if (!secured) return { 'xpack.security.enabled': false };
  return {
    'xpack.security.enabled': true,
    'xpack.security.autoconfiguration.enabled': false,
    'xpack.security.enrollment.enabled': false,
    'xpack.security.authc.realms.file.file1.order': 0,
    'xpack.security.http.ssl.enabled': true,
    'xpack.security.http.ssl.certificate': join(configuration, 'http.crt'),
    'xpack.security.http.ssl.key': join(configuration, 'http.key'),
  };
}

/** Writes certificate, roles and users; returns the certificate of the authority. */
async function writeSecurity(configuration: string, { roles, users }: Security): Promise<string> {
  const authority = await createAuthority('test authority of Elasticsearch');
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  await writeCertificate(configuration, 'http', await authority.issue({ commonName: 'elasticsearch', ...names }));
  const { users: userLines, usersRoles } = realmFiles(users);
  writeFileSync(join(configuration, 'roles.yml'), `${roles}\n`);
  writeFileSync(join(configuration, 'users'), userLines);
  writeFileSync(join(configuration, 'users_roles'), usersRoles);
  return authority.certificatePem;
}
