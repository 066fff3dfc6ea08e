/** The one-shot service `setup` of docker-compose.yml; with the argument `login` it prints how a person gets into Kibana. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SkilltapeError } from '../../errors.ts';
import { composePlaces } from './places.ts';
import { prepare } from './prepare.ts';

const claudeKeyFile = '/secrets/claude.key';

async function main(command: string | undefined): Promise<void> {
  if (command === 'login') {
    const read = (name: string) => readFileSync(join(composePlaces.root, 'people', name), 'utf8').trim();
    const [username, password] = [read('kibana.username'), read('kibana.password')];
    process.stdout.write(`https://localhost:5601\nuser:     ${username}\npassword: ${password}\n`);
    return;
  }
  const { secrets, upstream } = await prepare({ places: composePlaces, claudeKeyFile });
  process.stdout.write(
    secrets === 'made'
      ? 'Certificates and passwords are made. Restart services that ran before.\n'
      : 'Certificates and passwords are there already.\n',
  );
  process.stdout.write(`The upstream is ${upstream === 'real' ? 'the Claude API' : 'the fake Claude'}.\n`);
}

try {
  await main(process.argv[2]);
} catch (thrown) {
  const { message, remedy = '' } = SkilltapeError.from(thrown);
  process.stderr.write(`${message}\n${remedy}\n`);
  process.exitCode = 1;
}
