/** Applies the table of `import-rules.ts` to every source. */
import { APART, HOMES, IN_BROWSER, MAY_IMPORT, TYPES_ONLY } from './import-rules.ts'
import { importsOf, packageOf } from './imports.ts'
import type { Import } from './imports.ts'
import type { Problem, Report } from './report.ts'
import { readSources } from './repository.ts'

const TOP = ['shared', 'services', 'gateway', 'deploy', 'test']

export async function checkImports(root: string): Promise<Report> {
  const sources = (await readSources(root, '.ts', '.tsx')).filter(({ path }) => TOP.some((top) => within(path, top)))
  const problems: Problem[] = []
  for (const source of sources) {
    for (const found of importsOf(source)) {
      const what = importProblem(found)
      if (what !== undefined) problems.push({ where: `${found.from}:${found.line}`, what })
    }
  }
  return { problems, note: `${sources.length} sources` }
}

/** What is wrong with one import, if anything. */
export function importProblem(found: Import): string | undefined {
  return found.target === undefined ? outsideProblem(found) : insideProblem(found, found.target)
}

function insideProblem({ from, specifier, typeOnly }: Import, target: string): string | undefined {
  const [home, away] = [unitOf(from), unitOf(target)]
  const relative = specifier.startsWith('.')
  if (!/\.(?:tsx?|json|css|mjs)$/.test(target)) return `"${specifier}" lacks its file ending`
  if (home === away) return relative ? undefined : `"${specifier}" is in the same folder: import it relatively`
  // What lies directly in gateway/ (its main) may reach down into gateway/x.
  if (relative && !within(target, home)) return `"${specifier}" leaves ${home}: import it as "#${target}"`

  const rule = longest(Object.keys(MAY_IMPORT), from)
  if (rule === undefined) return `${home} is not in the table of import rules`
  if (APART.some((top) => within(from, top) && within(target, top))) return `${home} may not import ${away}`
  const allowed = longest(MAY_IMPORT[rule] ?? [], target)
  // A folder with a rule of its own below the rule (test/kit under test) is reached through the rule's own entry.
  if (allowed === undefined) return `${rule} may not import ${away}`
  if (!typeOnly && TYPES_ONLY.some(([a, b]) => within(from, a) && within(target, b))) {
    return `${rule} may import only types of ${away}`
  }
  return undefined
}

function outsideProblem({ from, specifier }: Import): string | undefined {
  if (specifier.startsWith('node:')) {
    return IN_BROWSER.some((folder) => within(from, folder)) ? `"${specifier}" does not exist in a browser` : undefined
  }
  const name = packageOf(specifier)
  const scope = `${name.split('/')[0]}/*`
  const homes = HOMES[name] ?? HOMES[scope]
  if (homes === undefined) return `"${name}" has no home in the table of import rules`
  if (homes.some((home) => within(from, home))) return undefined
  if (within(from, 'test') && name !== 'uvu') return undefined
  return `"${name}" belongs to ${homes.join(', ') || 'test'}`
}

/** The folder within which imports are relative: `shared/wire`, `gateway/http`, or `gateway` for what lies directly in it. */
function unitOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 2 ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
}

function longest(folders: readonly string[], path: string): string | undefined {
  return folders.filter((folder) => within(path, folder)).toSorted((a, b) => b.length - a.length)[0]
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}
