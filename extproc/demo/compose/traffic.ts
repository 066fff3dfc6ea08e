/** The one-shot service `traffic` of docker-compose.yml: four exchanges through the gateway, to have something to find. */
import { existsSync } from 'node:fs';
import { takeTour } from '../tour.ts';
import { fakesCaFile, userClientSecret } from './fakes.ts';
import { fetchToken } from './fetch-token.ts';
import { composePlaces, issuerOf } from './places.ts';

const { root, gateway } = composePlaces;
const caFile = fakesCaFile(root);
const stops = await takeTour({
  url: `https://${gateway.host}:${gateway.port}`,
  caFile,
  // The real Claude must not see stage directions.
  isFake: !existsSync('/secrets/claude.key'),
  token: (subject) => fetchToken({ issuer: issuerOf(composePlaces), caFile, secret: userClientSecret(root), subject }),
});
for (const { title, exchangeId } of stops) process.stdout.write(`${exchangeId}  ${title}\n`);
