// One installation of the dependencies at a time. Plain JavaScript: extproc/bootstrap.mjs uses it before anything is installed.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const heartbeatMs = 1000;
const pollMs = 100;
/** A holder that is not known to be dead is believed as long as its lock is touched within this time. */
const staleAfterMs = 30_000;

/**
 * Runs `work` while holding the folder `lock`; waits for another holder, and takes over from a dead one.
 * @param say takes a line for the person who waits
 * @throws what the file system says when the folder cannot be made
 */
export async function withInstallLock(lock, say, work) {
  const token = `${hostname()} ${process.pid} ${randomUUID()}`;
  await takeLock(lock, token, say);
  const heartbeat = setInterval(() => touch(lock), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (readOwner(lock) === token) rmSync(lock, { recursive: true, force: true });
  }
}

async function takeLock(lock, token, say) {
  let seen = null;
  while (!tryLock(lock, token)) {
    const owner = readOwner(lock);
    const touchedMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (seen === null) say('another start is installing the dependencies; waiting for it');
    // Our own clock measures how long nothing moved: the folder's time may come from another machine.
    if (seen === null || seen.owner !== owner || seen.touchedMs !== touchedMs) {
      seen = { owner, touchedMs, since: performance.now() };
    }
    if (isDead(owner) || performance.now() - seen.since > staleAfterMs) breakLock(lock, owner, say);
    else await delay(pollMs);
  }
}

function tryLock(lock, token) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(lock, 'owner'), token);
  return true;
}

function touch(lock) {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // Another start took the lock away; the installation ends all the same.
  }
}

function readOwner(lock) {
  try {
    return readFileSync(join(lock, 'owner'), 'utf8');
  } catch {
    return '';
  }
}

function isDead(owner) {
  const [host, pid] = owner.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Moves the lock aside before deleting it, so that of several that find it stale only one takes it away. */
function breakLock(lock, owner, say) {
  const aside = `${lock}.${randomUUID()}`;
  if (readOwner(lock) !== owner) return;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  say('taking over from a start that died while installing');
  rmSync(aside, { recursive: true, force: true });
}
