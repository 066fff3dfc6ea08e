import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { createAuthority } from '../../../test/fakes/certificates.ts';
import { type Account, account, kibanaToken, randomPassword, realmFiles } from './accounts.ts';
import type { Places } from './places.ts';

/** Content of files by their path below the root: the first part is the folder of the service that they are for. */
export type SetupFiles = Record<string, string>;

/** Both below deploy/. */
const roleFiles = ['elasticsearch/roles.yml', 'compose/kibana-roles.yml'];

/** All that must not be the same in two installations: certificates, passwords, keys. */
export async function makeSecrets(places: Places): Promise<SetupFiles> {
  return { ...(await certificates(places)), ...accounts(), ...fakesSecrets(), ...consoleSecrets() };
}

async function certificates({ identityProvider, claude, gateway, console }: Places): Promise<SetupFiles> {
  const authority = await createAuthority('skilltape compose');
  const files: SetupFiles = {};
  const issue = async (folder: string, name: string, host: string): Promise<void> => {
    // From the machine that runs the containers they are reached as localhost.
    const dnsNames = [...new Set([host, 'localhost'])];
    const request = { commonName: name, dnsNames, ipAddresses: ['127.0.0.1'] };
    const { certificatePem, privateKeyPem } = await authority.issue(request);
    files[`${folder}/${name}.crt`] = certificatePem;
    files[`${folder}/${name}.key`] = privateKeyPem;
  };
  await issue('elasticsearch', 'http', 'elasticsearch');
  await issue('kibana', 'kibana', 'kibana');
  await issue('envoy', 'gateway', gateway.host);
  await issue('console', 'console', console.host);
  await issue('fakes', 'identity-provider', identityProvider.host);
  await issue('fakes', 'claude', claude.host);
  for (const folder of ['elasticsearch', 'kibana', 'envoy', 'skilltape', 'console', 'install', 'fakes', 'people']) {
    files[`${folder}/ca.crt`] = authority.certificatePem;
  }
  return files;
}

/** Each account may do one thing (deploy/elasticsearch/roles.yml). */
function accounts(): SetupFiles {
  const writer = account('skilltape-writer', 'skilltape_writer');
  const reader = account('skilltape-reader', 'skilltape_reader');
  const retention = account('skilltape-retention', 'skilltape_retention');
  const template = account('skilltape-setup', 'skilltape_setup');
  const install = account('skilltape-install', 'skilltape_kibana_install');
  const person = account('analyst', 'skilltape_kibana_reader', 'skilltape_kibana_viewer');
  const { users, usersRoles } = realmFiles([writer, reader, retention, template, install, person]);
  const token = kibanaToken();
  return {
    'elasticsearch/users': users,
    'elasticsearch/users_roles': usersRoles,
    'elasticsearch/roles.yml': roles(),
    'elasticsearch/service_tokens': token.line,
    'kibana/secrets.yml': kibanaSecrets(token.bearer),
    ...login('skilltape/writer', writer),
    ...login('skilltape/reader', reader),
    ...login('skilltape/retention', retention),
    ...login('install/template', template),
    ...login('install/kibana', install),
    ...login('people/kibana', person),
  };
}

function login(path: string, { name, password }: Account): SetupFiles {
  return { [`${path}.username`]: `${name}\n`, [`${path}.password`]: `${password}\n` };
}

function roles(): string {
  return roleFiles.map((file) => readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8')).join('\n');
}

function kibanaSecrets(serviceAccountToken: string): string {
  return stringify({
    'elasticsearch.serviceAccountToken': serviceAccountToken,
    'xpack.encryptedSavedObjects.encryptionKey': randomPassword(),
    'xpack.reporting.encryptionKey': randomPassword(),
    'xpack.security.encryptionKey': randomPassword(),
  });
}

function fakesSecrets(): SetupFiles {
  return {
    'fakes/user-client.secret': `${randomPassword()}\n`,
    'fakes/claude.api-key': `sk-ant-api03-${randomPassword()}\n`,
  };
}

/** What the console and the identity provider of the demo both know. */
function consoleSecrets(): SetupFiles {
  const secret = `${randomPassword()}\n`;
  return { 'console/client.secret': secret, 'fakes/console-client.secret': secret };
}
