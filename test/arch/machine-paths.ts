/** Nothing of the machine it was written on: no absolute home or workspace paths, no addresses of package registries. */
import type { Problem, Report } from './report.ts'
import { lineAt, readSources } from './repository.ts'

const ENDINGS = [
  '.ts',
  '.tsx',
  '.mjs',
  '.json',
  '.md',
  '.sql',
  '.yml',
  '.yaml',
  '.sh',
  '.css',
  '.html',
  'Dockerfile',
  'run',
  '.npmrc',
]
/** Written so that this file does not hold what it looks for. */
const SUSPECTS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/(?<![\w.~*])\/(?:work|root|home\/\w+|Users\/\w+)\/[\w.-]+/g, 'a path of one machine'],
  [/\bC:\\Users\\/g, 'a path of one machine'],
  [/https?:\/\/[\w.-]*(?:registry|artifactory|jfrog|nexus|verdaccio)[\w.-]*/gi, 'the address of a package registry'],
  [/^\s*"resolved": "/gm, 'a download address in the lock file'],
]

export async function checkMachinePaths(root: string): Promise<Report> {
  const problems: Problem[] = []
  for (const { path, text } of await readSources(root, ...ENDINGS)) {
    for (const [pattern, what] of SUSPECTS) {
      for (const match of text.matchAll(pattern)) {
        problems.push({ where: `${path}:${lineAt(text, match.index)}`, what: `${what}: ${match[0].trim()}` })
      }
    }
  }
  return { problems }
}
