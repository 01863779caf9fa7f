/**
 * Run before the npm scripts, and plain JavaScript so that an old Node can read it: the sources are TypeScript, which Node 24
 * runs as it is. npm scripts find the project's own Node first, unless its install script was not allowed to run.
 */
const NEEDED_MAJOR = 24

if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(
    [
      `Waggle runs on Node ${NEEDED_MAJOR}; this is ${process.versions.node}.`,
      'The project brings its own: npm ci, and if install scripts are switched off on this machine, then: npm rebuild node',
      '',
    ].join('\n'),
  )
  process.exit(1)
}
