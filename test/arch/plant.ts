/**
 * Offenders: small repositories that break one rule each, kept below `offenders/` where no check of the real repository
 * looks. Tools that read settings get a copy of one outside of the repository, with the real settings beside it.
 */
import { copyFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { scratchFolder } from '#test/kit/scratch.ts'

import type { Problem } from './report.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const SETTINGS = ['.oxlintrc.json', '.oxfmtrc.json', 'tsconfig.json', 'package.json']

export function offender(name: string): string {
  return join(import.meta.dirname, 'offenders', name)
}

/** Copies an offender to where the tools see it as a repository with our settings. */
export async function plant(name: string): Promise<string> {
  const root = await scratchFolder('offender')
  for (const file of SETTINGS) await copyFile(join(REPOSITORY, file), join(root, file))
  await cp(offender(name), root, { recursive: true })
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  return root
}

/** A repository of the given files, for offences that must not stand in ours even as a planted file. */
export async function plantFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await scratchFolder('offender')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

/** One line per problem, for assertions that show all of them when they fail. */
export function lines(problems: readonly Problem[]): string[] {
  return problems.map(({ where, what }) => `${where}: ${what}`)
}
