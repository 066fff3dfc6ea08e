import { isUpper } from './characters.ts';

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
  'contraseña',
  'senha',
  'wachtwoord',
  'lösenord',
  'losenord',
  'passord',
  'adgangskode',
  'kodeord',
  'salasana',
  'hasło',
  'haslo',
  'heslo',
  'jelszó',
  'пароль',
  '密码',
  '密碼',
  'パスワード',
  '비밀번호',
  'sshpass',
  'smtppass',
  'mailpass',
  'ftppass',
  'sudopass',
  'becomepass',
  'rootpass',
  'adminpass',
  'mysqlpass',
  'redispass',
  'vaultpass',
  'appkey',
  'secretkeybase',
  'presharedkey',
  'licensekey',
  'hmackey',
  'serverkey',
  'servicekey',
  'subscriptionkey',
  'ingestionkey',
  'adminkey',
  'connectionstring',
  'mnemonic',
  'seedphrase',
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
  'psk',
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
const tailLength = 3;

/** The last letters of names: what a name must end with to be worth reading. */
export function tailsOf(names: Iterable<string>): ReadonlySet<number> {
  return new Set(Array.from(names, (name) => tailBefore(name, name.length)));
}

export const sensitiveTails = tailsOf([...sensitiveEndings, ...sensitiveNames]);

/** The last three characters before `end` as one number, in lower case and without what stands between words; -1 beyond ASCII. */
export function tailBefore(text: string, end: number): number {
  let tail = 0;
  for (let at = end - 1, count = 0; at >= 0 && count < tailLength; at--) {
    const code = text.charCodeAt(at);
    if (code >= 128) return -1;
    if (code === 95 || code === 45 || code === 46 || code === 32) continue;
    tail = (tail << 7) | (isUpper(code) ? code + 32 : code);
    count++;
  }
  return tail;
}

/** Whether a name that ends at `end` can be one of a secret; most cannot, and to read a name costs more than its end. */
function mayEndSensitive(text: string, end: number): boolean {
  const tail = tailBefore(text, end);
  return tail === -1 || sensitiveTails.has(tail);
}

/** Whether a key name says that its value is a secret, whatever the value looks like. */
export function isSensitiveKey(name: string): boolean {
  if (name.length < 3 || name.length > nameMax || !mayEndSensitive(name, name.length)) return false;
  const plain = name.toLowerCase().replace(/[_\-. ]/g, '');
  if (harmlessNames.has(plain)) return false;
  return sensitiveNames.has(plain) || sensitiveEndings.some((ending) => plain.endsWith(ending));
}
