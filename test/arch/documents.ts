/**
 * Documents that run: every ```ts block of every Markdown file is type-checked as a module of this repository, and every
 * command in a ```sh block names a script or subcommand that exists. A sketch that is no real code is a ```text block.
 */
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { runCommand } from '#deploy/provision/command.ts'

import type { Problem, Report } from './report.ts'
import { readSources } from './repository.ts'
import type { SourceFile } from './repository.ts'

const TYPES_TIMEOUT_MS = 120_000
/** Subcommands of npm itself. */
const OF_NPM = new Set(['ci', 'install', 'i', 'test', 'start', 'run', 'exec', 'view'])

export interface CodeBlock {
  readonly document: string
  /** Of its first line of code. */
  readonly line: number
  readonly language: string
  readonly code: string
}

export async function checkDocuments(root: string): Promise<Report> {
  const blocks = (await readSources(root, '.md')).flatMap(codeBlocks)
  const typed = blocks.filter(({ language }) => language === 'ts')
  const commands = blocks.filter(({ language }) => ['sh', 'bash', 'shell', 'console'].includes(language))
  const problems = [...(await typeProblems(root, typed)), ...(await commandProblems(root, commands))]
  return { problems, note: `${typed.length} ts and ${commands.length} sh blocks` }
}

export function codeBlocks({ path, text }: SourceFile): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { language: string; line: number; lines: string[]; fence: string } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*(`{3,})\s*([\w-]*)/.exec(line)
    if (open === undefined) {
      if (fence !== null) open = { language: fence[2] ?? '', line: index + 2, lines: [], fence: fence[1] ?? '```' }
    } else if (fence !== null && line.trim() === open.fence) {
      blocks.push({ document: path, line: open.line, language: open.language, code: open.lines.join('\n') })
      open = undefined
    } else {
      open.lines.push(line)
    }
  }
  return blocks
}

/** Compiles the blocks where `#shared/…` means what it means everywhere: in a folder below the root. */
async function typeProblems(root: string, blocks: readonly CodeBlock[]): Promise<Problem[]> {
  if (blocks.length === 0) return []
  const folder = join(root, '.cache', `documents-${process.pid}`)
  await mkdir(folder, { recursive: true })
  try {
    const settings = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
    for (const [index, { code }] of blocks.entries()) {
      // On its first line, so that the line numbers stay; it makes a module of a block that imports nothing.
      await writeFile(join(folder, `block-${index}.ts`), `export {};${code}\n`)
    }
    const tsc = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'tsc')
    const args = ['--noEmit', '--pretty', 'false', '-p', folder]
    const { ok, stdout, problem } = await runCommand(tsc, args, { timeoutMs: TYPES_TIMEOUT_MS, cwd: folder })
    return ok ? [] : located(stdout, blocks, problem)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Turns the compiler's places (in block files) into places in documents. */
function located(output: string, blocks: readonly CodeBlock[], problem: string): Problem[] {
  const problems: Problem[] = []
  for (const line of output.split('\n')) {
    const match = /block-(\d+)\.ts\((\d+),\d+\): (.*)$/.exec(line)
    const block = match === null ? undefined : blocks[Number(match[1])]
    if (match !== null && block !== undefined) {
      problems.push({ where: `${block.document}:${block.line + Number(match[2]) - 1}`, what: match[3] ?? '' })
    } else if (/error TS/.test(line)) {
      problems.push({ where: line.split('(')[0] ?? '', what: line })
    }
  }
  return problems.length > 0 ? problems : [{ where: 'documents', what: output.trim() || problem }]
}

async function commandProblems(root: string, blocks: readonly CodeBlock[]): Promise<Problem[]> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>
  }
  const scripts = new Set(Object.keys(manifest.scripts ?? {}))
  const subcommands = await cliSubcommands(root)
  const problems: Problem[] = []
  for (const { document, line, code } of blocks) {
    for (const [offset, text] of code.split('\n').entries()) {
      for (const command of commandsIn(text)) {
        const what = await commandProblem(root, command, scripts, subcommands)
        if (what !== undefined) problems.push({ where: `${document}:${line + offset}`, what })
      }
    }
  }
  return problems
}

/** The commands of one line as lists of words, without a prompt, a comment, and settings in front (`NAME=value npm …`). */
export function commandsIn(line: string): string[][] {
  const bare = line.replace(/^\s*\$\s+/, '').replace(/(^|\s)#.*$/, '')
  return bare
    .split(/&&|\|\||;|\|/)
    .map((command) =>
      command
        .trim()
        .split(/\s+/)
        .filter((word) => word !== ''),
    )
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word))))
    .filter((words) => words.length > 0)
}

async function commandProblem(
  root: string,
  words: readonly string[],
  scripts: ReadonlySet<string>,
  subcommands: ReadonlySet<string>,
): Promise<string | undefined> {
  const [program, first, second] = words
  if (program === 'npm' && first !== undefined) {
    const script = first === 'run' ? second : first === 'test' || first === 'start' ? first : undefined
    if (script !== undefined) return scripts.has(script) ? undefined : `package.json has no script "${script}"`
    return OF_NPM.has(first) ? undefined : `npm has no command "${first}" that is known here`
  }
  const argument = program === 'npx' && first === 'waggle' ? second : program === 'waggle' ? first : undefined
  if (argument !== undefined && /^[a-z]/.test(argument)) {
    return subcommands.has(argument) ? undefined : `waggle has no subcommand "${argument}"`
  }
  if (program === 'node' && first !== undefined && /\.(?:ts|mjs)$/.test(first)) {
    const exists = await access(join(root, first)).then(
      () => true,
      () => false,
    )
    return exists ? undefined : `there is no ${first}`
  }
  return undefined
}

/** What the command line offers, read from where commander is told. */
async function cliSubcommands(root: string): Promise<Set<string>> {
  const found = new Set<string>()
  for (const { path, text } of await readSources(root, '.ts')) {
    if (!path.startsWith('gateway/cli/')) continue
    for (const match of text.matchAll(/(?:\.command\(|new Command\()\s*'([a-z][\w-]*)/g))
      if (match[1] !== undefined) found.add(match[1])
  }
  return found
}
