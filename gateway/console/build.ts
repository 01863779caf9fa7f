/**
 * Builds the console with Vite when its sources changed; `node gateway/console/build.ts` does it by hand. The hash of
 * everything the bundle is made of lies in `dist/.sources`, so that a start without changes costs a few milliseconds. The
 * build is made elsewhere and put in place whole: whoever serves `dist` meanwhile never sees half of it.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const CONSOLE = dirname(fileURLToPath(import.meta.url))
const ROOT = dirname(dirname(CONSOLE))
const DIST = join(CONSOLE, 'dist')
const MARK = '.sources'
/** What the bundle is made of; the lock file stands for the outside packages. */
const SOURCES = [
  'gateway/console/index.html',
  'gateway/console/tsconfig.json',
  'gateway/console/build.ts',
  'gateway/console/public',
  'gateway/console/src',
  'gateway/client',
  'shared/lib',
  'shared/wire',
  'shared/contracts',
  'package-lock.json',
] as const

export interface ConsoleBuild {
  /** Folder to be served at `/`. */
  readonly dir: string
  /** False when it was up to date. */
  readonly built: boolean
}

export async function buildConsole(): Promise<ConsoleBuild> {
  const sources = await hashSources()
  if (sources === (await readFile(join(DIST, MARK), 'utf8').catch(() => ''))) return { dir: DIST, built: false }
  const cache = join(ROOT, '.cache')
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'console-'))
  try {
    await bundle(join(work, 'dist'))
    await writeFile(join(work, 'dist', MARK), sources)
    await replace(join(work, 'dist'), join(work, 'old'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return { dir: DIST, built: true }
}

async function bundle(outDir: string): Promise<void> {
  // Loaded only when there is something to build: a start without changes does not pay for the bundler.
  const [{ build }, { default: react }] = await Promise.all([import('vite'), import('@vitejs/plugin-react')])
  await build({
    root: CONSOLE,
    base: './',
    configFile: false,
    mode: 'production',
    logLevel: 'warn',
    cacheDir: join(ROOT, '.cache', 'vite'),
    plugins: [react()],
    build: {
      outDir,
      emptyOutDir: true,
      assetsInlineLimit: 0, // a content security policy without `data:` must do
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  })
}

/** Another process may do the same at the same time: whoever comes second finds the place taken, and its own is as good. */
async function replace(built: string, old: string): Promise<void> {
  await rename(DIST, old).catch(() => undefined)
  await rename(built, DIST).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const file of await filesUnder(join(ROOT, source))) {
      hash
        .update(`${relative(ROOT, file)}\0`)
        .update(await readFile(file))
        .update('\0')
    }
  }
  return hash.digest('hex')
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => null)
  if (entries === null) return [path]
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { dir, built } = await buildConsole()
  process.stdout.write(`${built ? 'built' : 'up to date'}: ${dir}\n`)
}
