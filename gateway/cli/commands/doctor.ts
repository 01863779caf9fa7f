import type { Command } from 'commander'
import { readConfig } from '#shared/config/config.ts'
import type { Config } from '#shared/config/config.ts'
import type { Finding, Patient } from '../doctor/finding.ts'
import { checkGateway } from '../doctor/gateway.ts'
import {
  checkConfiguration,
  checkConsole,
  checkDependencies,
  checkDisk,
  checkModel,
  checkNode,
  checkPort,
  checkState,
  made,
} from '../doctor/machine.ts'
import { checkBroker, checkDatabase } from '../doctor/servers.ts'
import type { EndpointOptions } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import type { Terminal } from '../terminal.ts'
import { withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const NAME_COLUMNS = 14

const HELP = `
Looks and changes nothing. A line per part: • there, ! not all of it, ✘ missing and essential, each with how to get it.
The exit code is 1 when something essential is missing.

Examples:
  waggle doctor
  waggle doctor --json | jq -r '.[] | select(.state != "ok") | .action'
`

export function addDoctor(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  withEndpoint(
    program
      .command('doctor')
      .summary('say what is missing and how to get it')
      .description('Says what is missing on this machine, and how to get it.'),
  )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (options: WithEndpoint<{ readonly json?: boolean }>) => {
      const findings = await examine(options, terminal)
      if (options.json === true) terminal.out(`${JSON.stringify(findings, null, 2)}\n`)
      else for (const finding of findings) terminal.out(`${line(finding, terminal)}\n`)
      done(findings.some(({ state }) => state === 'fail') ? ExitCode.failed : ExitCode.ok)
    })
}

export async function examine(options: EndpointOptions, terminal: Terminal): Promise<readonly Finding[]> {
  const patient: Patient = { terminal, config: configOf(terminal) }
  const checks = {
    node: checkNode,
    dependencies: checkDependencies,
    configuration: checkConfiguration,
    broker: checkBroker,
    database: checkDatabase,
    model: checkModel,
    port: checkPort,
    state: checkState,
    disk: checkDisk,
    console: checkConsole,
    gateway: checkGateway(options),
  }
  return Promise.all(Object.entries(checks).map(([name, check]) => made(name, check, patient)))
}

function configOf(terminal: Terminal): Config | null {
  try {
    return readConfig(terminal.env)
  } catch {
    return null // `configuration` says why
  }
}

function line({ name, state, found, action }: Finding, { outColors: colors }: Terminal): string {
  const mark = { ok: colors.green('•'), warn: colors.yellow('!'), fail: colors.red('✘') }[state]
  const hint = action === '' ? '' : `\n  ${' '.repeat(NAME_COLUMNS)}${colors.dim(`→ ${action}`)}`
  return `${mark} ${name.padEnd(NAME_COLUMNS)}${found}${hint}`
}
