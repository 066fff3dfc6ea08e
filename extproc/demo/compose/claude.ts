/** The service `claude` of docker-compose.yml. */
import { startComposeClaude, untilSignal } from './fakes.ts';
import { composePlaces } from './places.ts';

const { url, close } = await startComposeClaude(composePlaces);
process.stdout.write(`The fake Claude stands at ${url}.\n`);
await untilSignal(close);
