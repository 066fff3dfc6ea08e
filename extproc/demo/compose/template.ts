/** The one-shot service `index-template` of docker-compose.yml. */
import { setUpElasticsearch } from '../../index/elasticsearch/open.ts';

const folder = '/setup/install';
const { template, version } = await setUpElasticsearch({
  nodes: ['https://elasticsearch:9200'],
  caFile: `${folder}/ca.crt`,
  credential: { usernameFile: `${folder}/template.username`, passwordFile: `${folder}/template.password` },
  prefix: 'skilltape',
  // One node has no place for copies.
  numberOfReplicas: 0,
  refreshIntervalMs: 5_000,
  requestTimeoutMs: 30_000,
});
process.stdout.write(`The index template ${template} is there in version ${version}.\n`);
