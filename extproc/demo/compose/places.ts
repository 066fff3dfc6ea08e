/** Where the services of docker-compose.yml find each other. A test holds this and that file to each other. */
export type Place = { readonly host: string; readonly port: number };

/** @property root folder in which `setup.ts` makes one folder for each service, so that none sees what another needs */
export type Places = {
  readonly root: string;
  readonly identityProvider: Place;
  readonly claude: Place;
  readonly gateway: Place;
  readonly console: Place;
  readonly listenAddress: string;
  readonly runDirectory: string;
  readonly logDirectory: string;
};

export const composePlaces: Places = {
  root: '/setup',
  identityProvider: { host: 'identity-provider', port: 9443 },
  claude: { host: 'claude', port: 9444 },
  gateway: { host: 'envoy', port: 8443 },
  console: { host: 'console', port: 8480 },
  listenAddress: '0.0.0.0',
  runDirectory: '/run/skilltape',
  logDirectory: '/var/log/skilltape',
};

export const audience = 'skilltape';
export const consoleClientId = 'skilltape-console';

export function issuerOf({ identityProvider: { host, port } }: Places): string {
  return `https://${host}:${port}`;
}

/** As the browser of whoever runs the containers has it. */
export function consoleOriginOf({ console: { port } }: Places): string {
  return `https://localhost:${port}`;
}
