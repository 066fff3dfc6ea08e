/** For health checks: ends with 0 when something listens. `node listens.ts <host> <port>` */
import { connect } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
socket.once('connect', () => socket.destroy());
socket.once('error', ({ message }) => {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
});
