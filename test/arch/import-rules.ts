/**
 * Who may import whom, as data; `import-rule.ts` applies it. A folder missing here may not be imported from at all, so a new
 * one is entered on purpose. Imports point down: no folder may name one that (through others) names it.
 */

const RUNTIME = ['shared/lib', 'shared/errors', 'shared/config', 'shared/telemetry', 'shared/wire', 'shared/transport']
const ACTORS = [...RUNTIME, 'shared/actor', 'shared/contracts']
const SHARED = [
  ...ACTORS,
  'shared/nats',
  'shared/db',
  'shared/text',
  'shared/ranking',
  'shared/vectors',
  'shared/models',
  'shared/graph',
]
const EDGE = [...ACTORS, 'shared/nats', 'shared/process']

/** Folder -> the folders it may import from, beside itself. The longest folder that holds a file counts. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'shared/lib': [],
  'shared/errors': ['shared/lib'],
  // Words of natural language, and how well a passage answers a question: no actor, no database, no model.
  'shared/text': ['shared/lib'],
  'shared/ranking': ['shared/lib', 'shared/errors', 'shared/text'],
  'shared/config': ['shared/lib', 'shared/errors'],
  'shared/telemetry': ['shared/lib', 'shared/errors', 'shared/config'],
  'shared/wire': ['shared/lib', 'shared/errors'],
  'shared/transport': ['shared/lib', 'shared/errors', 'shared/config', 'shared/telemetry', 'shared/wire'],
  'shared/actor': RUNTIME,
  'shared/contracts': [...RUNTIME, 'shared/actor'],
  // Adapters of the ports of transport and actor; joined to them in a main.ts.
  'shared/nats': ACTORS,
  'shared/db': ACTORS,
  'shared/models': [...ACTORS, 'shared/text', 'shared/ranking'],
  'shared/vectors': [...ACTORS, 'shared/db', 'shared/text', 'shared/ranking', 'shared/models'],
  'shared/graph': [...ACTORS, 'shared/models'],

  // What every process does first: the edge needs no store, a service has one.
  'shared/process': [...ACTORS, 'shared/nats'],
  'shared/service': [...SHARED, 'shared/process'],

  // A role imports what is shared and other roles' contracts (in shared), never another role.
  services: [...SHARED, 'shared/process', 'shared/service'],

  // The edge asks actors for what it needs: no database, vectors or models.
  gateway: [...EDGE, 'gateway'],
  // It measures retrieval on data of its user's, beside the textbook's formula.
  'gateway/cli': [...EDGE, 'gateway', 'shared/text', 'shared/ranking'],
  'gateway/client': ['shared/lib', 'shared/errors', 'shared/wire', 'shared/contracts'],
  'gateway/console': ['gateway/client', 'shared/contracts'],

  // These two import anything, and nobody imports them.
  deploy: [...SHARED, 'shared/process', 'shared/service', 'services', 'gateway', 'deploy'],
  test: [...SHARED, 'shared/process', 'shared/service', 'services', 'gateway', 'deploy', 'test'],
}

/** In these folders each subfolder is on its own. */
export const APART = ['services']

/** Pairs allowed for types only. */
export const TYPES_ONLY: readonly (readonly [from: string, to: string])[] = [['gateway/console', 'shared/contracts']]

/** Run in a browser too: no built-in modules of Node. */
export const IN_BROWSER = ['gateway/client', 'gateway/console/src']

/** Outside package (`@scope/*` for a scope) -> the folders or files that may import it. Tests may import any but uvu. */
export const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@electric-sql/*': ['shared/db', 'deploy'],
  '@fastify/*': ['gateway/http', 'gateway/main.ts'],
  '@langchain/core': ['shared/graph', 'shared/models'],
  '@langchain/langgraph': ['shared/graph'],
  '@langchain/openai': ['shared/models'],
  '@mikro-orm/*': ['shared/db', 'deploy'],
  '@mozilla/readability': ['services/knowledge'],
  '@napi-rs/canvas': ['services/knowledge'],
  '@nats-io/jwt': ['deploy/nats'],
  '@qdrant/js-client-rest': ['shared/vectors'],
  '@vitejs/plugin-react': ['gateway/console', 'deploy'],
  ajv: ['shared/lib', 'shared/models', 'shared/graph', 'services/tools', 'services/agents'],
  'ajv-formats': ['shared/lib', 'shared/models', 'shared/graph', 'services/tools', 'services/agents'],
  '@tesseract.js-data/eng': ['services/knowledge'],
  commander: ['gateway/cli'],
  'csv-parse': ['services/knowledge'],
  '@langchain/langgraph-checkpoint-validation': [],
  'fast-check': [],
  'fastest-levenshtein': ['shared/models'],
  fflate: ['services/knowledge'],
  fastify: ['gateway/http', 'gateway/main.ts'],
  'ipaddr.js': ['shared/lib', 'services/tools'],
  jose: ['gateway/auth', 'deploy'],
  'libphonenumber-js': ['shared/lib', 'shared/models'],
  linkedom: ['services/knowledge'],
  mailparser: ['services/knowledge'],
  mammoth: ['services/knowledge'],
  marked: ['services/knowledge'],
  msgpackr: ['shared/wire'],
  nats: ['shared/nats', 'deploy'],
  'nkeys.js': ['deploy/nats'],
  'pdf-lib': [],
  'pdfjs-dist': ['services/knowledge'],
  pg: ['shared/db', 'deploy'],
  pgvector: ['shared/vectors', 'shared/db'],
  picocolors: ['gateway/cli', 'deploy'],
  pino: ['shared/telemetry'],
  'playwright-core': [],
  'prom-client': ['shared/telemetry'],
  react: ['gateway/console'],
  'react-dom': ['gateway/console'],
  saxes: ['services/knowledge'],
  'socket.io': ['gateway/sockets'],
  'socket.io-client': ['gateway/client'],
  'tesseract.js': ['services/knowledge'],
  stopword: ['shared/text'],
  tinyld: ['shared/text'],
  ulid: ['shared/lib'],
  undici: ['shared/lib', 'services/tools', 'services/knowledge'],
  uvu: ['test/kit/suite.ts'],
  vite: ['gateway/console', 'deploy'],
  yaml: [],
  zod: ['shared', 'services', 'gateway', 'deploy'],
}
