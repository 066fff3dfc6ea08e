import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import { currentOperator } from '../looks/operator.ts';
import { SqliteLookLog } from '../looks/sqlite-look-log.ts';
import { Masker } from '../masking/masker.ts';
import { detectionOf, type OwnDetection } from '../masking/own-detection.ts';
import { approvalsCommand, decisionCommands } from './approvals.ts';
import { archiveOf } from './archive-of.ts';
import { archivedOf } from './archived-of.ts';
import { consoleCommand } from './console.ts';
import { coverageCommand } from './coverage.ts';
import { doctorCommand } from './doctor.ts';
import { dumpCommand } from './dump.ts';
import { envoyCommand } from './envoy.ts';
import { eraseCommand } from './erase.ts';
import { exportCommand } from './export.ts';
import { exportOf } from './export-of.ts';
import { accessCommand, breakGlassCommand, requestAccessCommand } from './grants.ts';
import { grantsOf } from './grants-of.ts';
import { holdCommand } from './hold.ts';
import { approvalsOf, coverageLookOf, openIndexOf, rejectsOf, stopsOf } from './index-of.ts';
import { indexCommand } from './index-setup.ts';
import { keysCommand } from './keys.ts';
import { kibanaCommand } from './kibana.ts';
import type { LookingDependencies } from './looking.ts';
import { looksCommand } from './looks.ts';
import { maskCommand } from './mask.ts';
import { detectorsOfPolicies } from './own-detectors.ts';
import { policyCommand } from './policy.ts';
import { withVersionCommands } from './policy-versions.ts';
import { pseudonymCommand } from './pseudonym.ts';
import { rebuildIndexCommand } from './rebuild-index.ts';
import { rebuildOf } from './rebuild-of.ts';
import { recordedOf } from './recorded-of.ts';
import { rejectsCommand } from './rejects.ts';
import { remaskCommand } from './remask.ts';
import { retentionCommand } from './retention.ts';
import { retentionOf } from './retention-of.ts';
import { revealCommand } from './reveal.ts';
import { revealOf } from './reveal-of.ts';
import { searchCommand } from './search.ts';
import { showCommand } from './show.ts';
import { stopCommand } from './stop.ts';
import { tailCommand } from './tail.ts';
import { tailOf } from './tail-of.ts';
import { tokenCommandOf } from './token.ts';
import { upCommand } from './up.ts';
import { usageCommand } from './usage.ts';
import { verifyOf } from './verify-of.ts';
import { withWhatIf } from './whatif.ts';
import { whatIfOf } from './whatif-of.ts';

/** All commands, in the order in which the help lists them. */
export function commandsBeside(serve: Command, config: () => Config, configFile: () => string | undefined): Command[] {
  let known: OwnDetection | undefined;
  const detection = (): OwnDetection => {
    known ??= detectionOf(detectorsOfPolicies(config().policies.directory));
    return known;
  };
  const masker = (): Masker =>
    new Masker({
      key: readFileSync(join(config().dataDirectory, 'keys', 'hash.key')),
      detection: detection(),
    });
  const looking = lookingDependencies(config, masker, () => detection().types);
  const write = (text: string) => process.stdout.write(text);
  const recorded = recordedOf(config, masker);
  return [
    upCommand(write),
    serve,
    searchCommand(looking),
    showCommand(looking, archivedOf(config, masker)),
    revealCommand(looking, revealOf(config, process.env)),
    exportCommand(looking, exportOf(config, process.env)),
    dumpCommand(looking, { config, masker, archive: () => archiveOf(config()) }),
    verifyOf(config, { write: writeOut, writeError: looking.writeError, setExitCode: looking.setExitCode }),
    usageCommand(looking, { pricesFile: () => config().usage.pricesFile }),
    coverageCommand(looking, coverageLookOf(config)),
    ...decidingCommands(looking, config, masker),
    looksCommand(looking),
    rejectsCommand(looking, rejectsOf(config)),
    remaskCommand(looking, recorded),
    retentionCommand(looking, retentionOf(config)),
    holdCommand(looking, retentionOf(config)),
    eraseCommand(looking, retentionOf(config)),
    rebuildIndexCommand(looking, rebuildOf(config, masker)),
    keysCommand(looking, config),
    indexCommand(config, looking),
    kibanaCommand({ write, writeError: (text) => process.stderr.write(text) }),
    envoyCommand(config, writeOut),
    maskCommand(looking, { input: process.stdin, recorded }),
    pseudonymCommand(looking, {
      keyedHash: () => keyedHashWith(readFileSync(join(config().dataDirectory, 'keys', 'hash.key'))),
      issuers: () => Object.values(config().identityProviders).map(({ issuer }) => issuer),
    }),
    policyCommandOf(looking, config),
    doctorCommand({ write: writeOut, setExitCode: looking.setExitCode, color: looking.color }, configFile, process.env),
    tokenCommandOf(process),
  ];
}

/** What people decide while traffic runs, and its live view. */
function decidingCommands(looking: LookingDependencies, config: () => Config, masker: () => Masker): Command[] {
  const { env } = process;
  const grants = grantsOf(config, env);
  return [
    approvalsCommand(looking, approvalsOf(config, env)),
    ...decisionCommands(looking, approvalsOf(config, env), grants),
    consoleCommand(config, masker),
    requestAccessCommand(looking, grants),
    accessCommand(looking, grants),
    breakGlassCommand(looking, grants),
    stopCommand(looking, stopsOf(config, env)),
    tailCommand(looking, tailOf(config, env)),
  ];
}

/** `skilltape policy` with everything below it. */
function policyCommandOf(looking: LookingDependencies, config: () => Config): Command {
  return withVersionCommands(
    withWhatIf(
      policyCommand({ policies: () => config().policies, write: writeOut, setExitCode: looking.setExitCode }),
      looking,
      whatIfOf(config),
    ),
    {
      dataDirectory: () => config().dataDirectory,
      write: writeOut,
      writeError: looking.writeError,
      setExitCode: looking.setExitCode,
    },
  );
}

function lookingDependencies(
  config: () => Config,
  masker: () => Masker,
  ownTypes: LookingDependencies['ownTypes'],
): LookingDependencies {
  let lookLog: SqliteLookLog | undefined;
  return {
    openIndex: async () => openIndexOf(config()),
    get lookLog() {
      lookLog ??= new SqliteLookLog(config().dataDirectory);
      return lookLog;
    },
    operator: currentOperator(),
    ownTypes,
    maskQuery: (text) => masker().text(text, 'look').value,
    write: writeOut,
    writeError: (text) => process.stderr.write(text),
    setExitCode: (code) => {
      process.exitCode = code;
    },
    exit: (code) => process.exit(code),
    color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    width: process.stdout.columns ?? 100,
    now: () => new Date(),
  };
}

/** A reader that has seen enough, such as `head`, ends the command; nothing is wrong then. */
function writeOut(text: string): void {
  if (process.stdout.listenerCount('error') === 0) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
  process.stdout.write(text);
}
