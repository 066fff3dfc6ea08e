/** The service `identity-provider` of docker-compose.yml. */
import { startComposeIdentityProvider, untilSignal } from './fakes.ts';
import { composePlaces } from './places.ts';

const { issuer, close } = await startComposeIdentityProvider(composePlaces);
process.stdout.write(`The identity provider of the demo stands at ${issuer}.\n`);
await untilSignal(close);
