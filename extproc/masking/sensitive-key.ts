/** How a key name ends whose value is a secret, in lower case without `_`, `-`, `.` and spaces. */
export const sensitiveEndings: readonly string[] = [
  'password',
  'passwords',
  'passwd',
  'passphrase',
  'pwd',
  'passcode',
  'secret',
  'secrets',
  'secretkey',
  'secretaccesskey',
  'apikey',
  'apisecret',
  'accesskey',
  'accountkey',
  'sharedaccesskey',
  'privatekey',
  'signingkey',
  'encryptionkey',
  'masterkey',
  'token',
  'tokens',
  'authorization',
  'proxyauthorization',
  'credential',
  'credentials',
  'clientsecret',
  'sessionkey',
  'authkey',
  'cookie',
  'setcookie',
  'bearer',
  'jwt',
  'kennwort',
  'passwort',
  'motdepasse',
  'contrasena',
];
/** Names of whole keys, where an ending would also take other words (`compass`, `bypass`). */
const sensitiveNames: ReadonlySet<string> = new Set([
  'pass',
  'dbpass',
  'userpass',
  'pin',
  'otp',
  'auth',
  'secretvalue',
  'xapikey',
  'awssecret',
]);
/** Names with such an ending that are about paging, counting and reading text. */
const harmlessNames: ReadonlySet<string> = new Set([
  'maxtokens',
  'inputtokens',
  'outputtokens',
  'budgettokens',
  'totaltokens',
  'prompttokens',
  'completiontokens',
  'cachetokens',
  'thinkingtokens',
  'numtokens',
  'cachecreationinputtokens',
  'cachereadinputtokens',
  'nexttoken',
  'pagetoken',
  'nextpagetoken',
  'continuationtoken',
  'synctoken',
  'eostoken',
  'bostoken',
  'padtoken',
  'unktoken',
  'septoken',
  'clstoken',
  'masktoken',
  'stoptoken',
  'stoptokens',
  'specialtokens',
  'maxtokenstosample',
]);

const nameMax = 64;

/** Whether a key name says that its value is a secret, whatever the value looks like. */
export function isSensitiveKey(name: string): boolean {
  if (name.length < 3 || name.length > nameMax) return false;
  const plain = name.toLowerCase().replace(/[_\-. ]/g, '');
  if (harmlessNames.has(plain)) return false;
  return sensitiveNames.has(plain) || sensitiveEndings.some((ending) => plain.endsWith(ending));
}
