/**
 * Secrets that a command, a file or a sentence gives without an operator. `words` begin a rule; `pattern` (see `sticky`)
 * matches from there, its last group is the value and ends the match. `hit` and `miss` are examples that a test runs; in a
 * hit the value stands between « and ».
 */
export type GivenSecretRule = {
  id: string;
  words: readonly string[];
  pattern: string;
  /**
   * What else makes the value a secret: `nothing`, the pattern says enough, and only a placeholder is none; `made-up`, it looks
   * like one that is assigned; `mixed`, it has characters of three kinds as well, which no word of a sentence has.
   */
  asks: 'nothing' | 'made-up' | 'mixed';
  hit: readonly string[];
  miss: readonly string[];
};

const quote = '["\']?';
/** A value on a command line: quoted or not, no option, no variable. */
const argument = `${quote}([^\\s"'\`$<>{}|;&-][^\\s"'\`|;]{2,255})`;
const between = '[^\\n|;]{0,160}?';

export const givenSecretRules: readonly GivenSecretRule[] = [
  {
    id: 'basic-credentials',
    words: ['curl ', 'wget '],
    pattern: `(?:curl|wget)(?: ${between})? (?:-u|--user|--proxy-user)[ =]?${quote}[^\\s:"'$]{1,64}:([^\\s"'\`$<>{}|;][^\\s"'\`|;]{2,255})`,
    asks: 'nothing',
    hit: ['curl -u admin:«tr0mbone» https://x.io', "curl -s --user 'bob:«pa55-w0rd»' https://x.io"],
    miss: ['curl -u "$USER:$PASS" https://x.io', 'curl https://x.io:8080/a', 'curl -u admin:password https://x.io'],
  },
  {
    id: 'command-password',
    words: [
      'sshpass ',
      'docker login',
      'podman login',
      'registry login',
      'az login',
      'oc login',
      'htpasswd ',
      'redis-cli ',
      'ldapsearch ',
      'ldapmodify ',
      'ldapadd ',
      'smbclient ',
      'sqlcmd ',
      'mongosh ',
      'mongo ',
    ],
    pattern: `(?:(?:sshpass|docker login|podman login|registry login|az login|oc login|sqlcmd|mongosh|mongo)(?: ${between})? (?:-[pP]|--password)[ =]?|redis-cli(?: ${between})? (?:-a|--pass) ?|ldap(?:search|modify|add)(?: ${between})? -w ?|smbclient(?: ${between})? -U ?[^\\s%]{1,64}%|htpasswd ${between}-[nbBmdsci]{0,6}b[nbBmdsci]{0,6} (?:[^\\s-][^\\s]{0,64} )?[^\\s-][^\\s]{0,64} )${argument}`,
    asks: 'made-up',
    hit: [
      "sshpass -p '«pa55-w0rd»' ssh root@h",
      'docker login -u bob -p «hunter2X9k» reg.io',
      'redis-cli -h cache -a «hunter2X9k» ping',
      'ldapsearch -D cn=a -w «hunter2X9k» -b dc=x',
      'htpasswd -b file bob «hunter2X9k»',
    ],
    miss: [
      'docker login -u bob --password-stdin reg.io',
      'redis-cli -p 6379 ping',
      'sshpass -p "$PASS" ssh h',
      'mongo --port 27017 shop',
    ],
  },
  {
    id: 'mysql-password',
    words: ['mysql ', 'mysqldump ', 'mysqladmin ', 'mariadb ', 'mariadb-dump '],
    pattern: `(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump) (?:[^\\n|;]{0,160}? )?-p${argument}`,
    asks: 'made-up',
    hit: ["mysql -u root -p'«hunter2X9k»' shop", 'mysqldump -h db -uroot -p«hunter2X9k» shop'],
    miss: ['mysql -u root -p shop2024', 'mysql -P 3306 -p'],
  },
  {
    id: 'authorization-scheme',
    words: ['authorization'],
    pattern: `[Aa](?:uthorization|UTHORIZATION)\\\\{0,3}["']?[ \\t]{0,2}[:=][ \\t]{0,2}\\\\{0,3}${quote}(?:[Tt]oken|SSWS|[Aa]pi-?[Kk]ey|GenieKey|Bot|Splunk|Discogs|Key|Digest|PRIVATE-TOKEN|Zoho-oauthtoken|OAuth|Snowflake)[ =]{1,2}(?:[Tt]oken=)?["']?([\\w.~+/=:-]{12,255})`,
    asks: 'made-up',
    hit: [
      'Authorization: token «0123f56789ab0d23ef67890bcd34ef678a»',
      'Authorization: SSWS «00aB3xY9zQ1wE5rT7yU9iO2pA4sD6fG8hJ»',
    ],
    miss: ['Authorization: token required', 'Authorization: Bearer <token>'],
  },
  {
    id: 'sql-password',
    words: ['identified by', 'identified with', "password '"],
    pattern:
      "(?:[Ii](?:dentified|DENTIFIED) (?:(?:with|WITH) [\\w'\"]{1,40} )?(?:by|BY|as|AS) (?:password |PASSWORD )?|[Pp](?:assword|ASSWORD) )'([^'\\s]{4,128})(?=')",
    asks: 'made-up',
    hit: ["CREATE USER bob IDENTIFIED BY '«hunter2»'", "ALTER ROLE bob WITH PASSWORD '«pa55-w0rd»';"],
    miss: ["IDENTIFIED BY '<password>'", "the password 'secret' is weak", "IDENTIFIED BY '********'"],
  },
  {
    id: 'login-password',
    words: ['login '],
    pattern: `login [^\\s]{1,64}\\s{1,8}password ${argument}`,
    asks: 'made-up',
    hit: ['machine api.x.io login bob password «hunter2X9k»'],
    miss: ['login form password field', 'login bob password $PASS'],
  },
  {
    id: 'spoken-password',
    words: [
      'password ',
      'passwort ',
      'kennwort ',
      'passphrase ',
      'passcode ',
      'mot de passe ',
      'contraseña ',
      'senha ',
      'passwd ',
    ],
    pattern: `(?:[Pp]ass(?:word|wort|phrase|code|wd)|[Kk]ennwort|[Mm]ot de passe|[Cc]ontraseña|[Ss]enha) (?:(?:for|to|of|für) [^\\s]{1,32} )?(?:is|was|lautet|ist|war|est|es|é|è|=>|→) {1,2}(?:now |jetzt |still )?["'\`]?([^\\s"'\`$<>{}|;&-][^\\s"'\`|;,]{5,127})`,
    asks: 'mixed',
    hit: [
      'my password is «hunter2X9k», please reset',
      'das Passwort lautet «Sommer-2024x»',
      'the password for bob is «hunter2X9k»',
      'mot de passe est «hunter2X9k»',
    ],
    miss: [
      'the password is required',
      'password is invalid123',
      'the password is base64-encoded here',
      'Passwort ist abgelaufen',
      'password is too short (min 8)',
    ],
  },
  {
    // `requirepass` and `masterauth` by their ends, whose beginnings stand in any text
    id: 'server-directive',
    words: ['irepass ', 'erauth ', 'snmp-server community ', 'enable secret ', 'wpa_passphrase '],
    pattern: `(?:irepass|erauth|snmp-server community|enable secret(?: \\d)?|wpa_passphrase [^\\s]{1,32}) ${argument}`,
    asks: 'made-up',
    hit: ['requirepass «hunter2X9k»', 'snmp-server community «hunter2X9k» RO'],
    miss: ['requirepass foobared', 'snmp-server community public RO'],
  },
  {
    id: 'basic-auth-call',
    words: ['auth=(', 'auth = (', 'basicauth(', 'basic_auth('],
    pattern:
      '(?:basic_)?[\\w.]{0,24}(?:[Aa]uth|BasicAuth) ?=? ?\\(\\\\{0,3}["\'][^"\'\\n]{1,64}["\'], ?\\\\{0,3}["\']([^"\'\\s\\\\]{4,128})(?=\\\\{0,3}["\'])',
    asks: 'made-up',
    hit: ['requests.get(u, auth=("bob", "«hunter2X9k»"))', "HTTPBasicAuth('bob', '«hunter2X9k»')"],
    miss: ['auth=("user", "password")', 'auth = (a, b)'],
  },
  {
    id: 'oracle-thin',
    words: ['jdbc:oracle:thin:'],
    pattern: 'jdbc:oracle:thin:[\\w$]{1,64}/([^@\\s"\']{1,128})(?=@)',
    asks: 'nothing',
    hit: ['jdbc:oracle:thin:bob/«hunter2»@//db:1521/x'],
    miss: ['jdbc:oracle:thin:@//db:1521/x', 'jdbc:oracle:thin:user/password@db'],
  },
  {
    id: 'one-time-password-seed',
    words: ['otpauth://'],
    pattern: 'otpauth://[hotp]{4}/[^\\s"\'?]{0,200}\\?[^\\s"\'#]{0,200}?secret=([A-Za-z2-7]{16,128})',
    asks: 'nothing',
    hit: ['otpauth://totp/x:bob?secret=«JBSWYDPEHPKPXPAB»&issuer=x'],
    miss: ['otpauth://totp/x:bob?issuer=x'],
  },
  {
    id: 'signed-url',
    words: ['sig=', 'x-amz-signature=', 'x-goog-signature='],
    pattern: '(?:sig=([\\w%+/-]{30,120}(?:%3[Dd]|=)?)|X-(?:Amz|Goog)-Signature=([\\w%+/~-]{40,255}=?))',
    asks: 'made-up',
    hit: [
      'https://x.blob.core.windows.net/c?sv=2022-11-02&sig=«aB3xY9zQ1wE5rT7yU9iO2pA4sD6fG8hJ0kL1mN2b%3D»&se=2026',
      'https://b.s3.amazonaws.com/k?X-Amz-Signature=«0123f56789ab0d23ef67890bcd34ef678a0123f56789ab0d23ef67890bcd34ef»',
    ],
    miss: ['sig=signature_of_the_function_that_is_called', 'X-Amz-Signature=Signature'],
  },
  {
    id: 'docker-env',
    words: ['env '],
    pattern: `ENV ([A-Z][A-Z0-9_]{2,47}) ${argument}`,
    asks: 'made-up',
    hit: ['ENV API_TOKEN «aB3xY9zQ1wE5rT7yU9iO2pA4»'],
    miss: ['ENV NODE_VERSION 24.1.0', 'ENV TOKEN_TTL 3600'],
  },
  {
    id: 'table-row',
    words: ['password |', 'passwort |', 'passphrase |', 'secret |', 'token |', 'key |', 'pwd |'],
    pattern: '([A-Za-z]{3,12}) ?\\|[ \\t]{0,32}[`]?([^\\s|`]{6,255})(?=[`]?[ \\t]{0,32}\\|)',
    asks: 'made-up',
    hit: ['| password | «hunter2X9k» |', '| Token | `«aB3xY9zQ1wE5rT7yU9iO2pA4»` |'],
    miss: ['| password | yes |', '| token | string | 12 |', '| password | user |'],
  },
  {
    id: 'secret-body',
    words: ['secret set ', 'secrets set ', 'secrets:set ', 'config:set '],
    pattern: `(?:secrets? set|secrets:set|config:set) [^\\s]{1,64} ${between}(?:--body|-b|--value)[ =]${argument}`,
    asks: 'made-up',
    hit: ['gh secret set TOKEN --body "«aB3xY9zQ1wE5rT7yU9iO2pA4»"'],
    miss: ['gh secret set TOKEN --body "$TOKEN"'],
  },
];

/** How an option is called whose next argument is a secret: the end of its name, with the space behind it. */
export const optionWords: readonly string[] = [
  ...['password ', 'passwd ', 'passphrase ', 'pass ', 'token ', 'secret ', '-key ', 'apikey ', 'api_key '],
];
