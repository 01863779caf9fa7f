/**
 * A server that speaks as much of Qdrant's REST as the adapter does: every request and every answer is checked against the
 * published OpenAPI, and it really stores, filters, ranks and deletes. What does not fit is answered 400 and kept in
 * `violations`. It can also fail, fall silent, and answer what it was not asked for.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { hold } from './leaks.ts'
import type { QdrantOpenApi } from './qdrant-openapi.ts'
import { QdrantPoints, Refused } from './qdrant-points.ts'
import type { Filter, NamedVector, StoredPoint } from './qdrant-points.ts'

type Json = Record<string, unknown>

export interface Found {
  readonly point: StoredPoint
  readonly score: number
}

export class QdrantCheckServer {
  readonly violations: string[] = []
  readonly requests: { readonly method: string; readonly path: string; readonly body: unknown }[] = []
  readonly headers: IncomingMessage['headers'][] = []
  /** Answers instead, with this status, as long as it is set. */
  failWith: number | null = null
  /** Takes requests and says nothing. */
  silent = false
  /** Changes what a search found: a server, proxy or cache that mixes things up. */
  mixUp: ((found: Found[], all: StoredPoint[], exact: boolean) => Found[]) | null = null
  readonly #collections = new Map<string, QdrantPoints>()
  readonly #openApi: QdrantOpenApi
  readonly #server: Server
  #version = 0
  #release: () => void = () => undefined

  constructor(openApi: QdrantOpenApi) {
    this.#openApi = openApi
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#release = hold('server', 'qdrant')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
    this.#release()
  }

  collection(name: string): QdrantPoints | undefined {
    return this.#collections.get(name)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request
    const url = new URL(request.url ?? '/', 'http://qdrant')
    const text = await readAll(request)
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    this.requests.push({ method, path: url.pathname, body })
    this.headers.push(request.headers)
    if (this.silent) return
    if (this.failWith !== null) return say(response, this.failWith, { status: { error: 'told to fail' }, time: 0 })
    const problem = this.#openApi.problemOfRequest(method, url, body)
    if (problem !== null) {
      this.violations.push(problem)
      return say(response, 400, { status: { error: problem }, time: 0 })
    }
    try {
      const result = this.#answer(method, url.pathname, (body ?? {}) as Json)
      const answer = { result, status: 'ok', time: 0.001 }
      const wrong = this.#openApi.problemOfAnswer(method, url, answer)
      if (wrong !== null) this.violations.push(wrong)
      say(response, 200, answer)
    } catch (thrown) {
      const status = thrown instanceof NotThere ? 404 : thrown instanceof Taken ? 409 : 400
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      if (!(thrown instanceof Refused)) this.violations.push(reason)
      say(response, status, { status: { error: reason }, time: 0 })
    }
  }

  #answer(method: string, path: string, body: Json): unknown {
    const [, , encoded = '', ...rest] = path.split('/')
    const name = decodeURIComponent(encoded)
    const route = `${method} ${rest.join('/')}`
    if (path === '/collections') return { collections: [...this.#collections.keys()].map((one) => ({ name: one })) }
    if (route === 'GET exists') return { exists: this.#collections.has(name) }
    if (route === 'PUT ') return this.#create(name, body)
    const points = this.#collections.get(name)
    if (points === undefined) throw new NotThere(`Not found: Collection \`${name}\` doesn't exist!`)
    switch (route) {
      case 'GET ':
        return infoOf(points)
      case 'PUT index':
        points.indexes.set(String(body['field_name']), body['field_schema'])
        return this.#done()
      case 'PUT points':
        points.upsert(body['points'] as never)
        return this.#done()
      case 'POST points/delete':
        points.delete(body)
        return this.#done()
      case 'POST points/count':
        return { count: points.matching(body['filter'] as Filter).length }
      case 'POST points/query':
        return this.#query(points, body)
      default:
        throw new Error(`This server does not know ${method} ${path}`)
    }
  }

  #create(name: string, body: Json): boolean {
    if (this.#collections.has(name)) throw new Taken(`Wrong input: Collection \`${name}\` already exists!`)
    this.#collections.set(name, new QdrantPoints(body['vectors'] as Record<string, NamedVector>))
    return true
  }

  #query(points: QdrantPoints, body: Json): unknown {
    const { query, using, filter, limit, params, with_payload } = body
    if (!Array.isArray(query)) throw new Refused('This server knows no other query than a vector.')
    const found = points.nearest(String(using), query as number[], filter as Filter, Number(limit ?? 10))
    const exact = (params as { exact?: boolean } | undefined)?.exact === true
    const given = this.mixUp?.(found, points.matching(null), exact) ?? found
    return {
      points: given.map(({ point, score }) => ({
        id: point.id,
        version: this.#version,
        score,
        ...(with_payload === true && { payload: point.payload }),
      })),
    }
  }

  #done(): unknown {
    this.#version += 1
    return { operation_id: this.#version, status: 'completed' }
  }
}

class NotThere extends Refused {}
class Taken extends Refused {}

function infoOf(points: QdrantPoints): unknown {
  return {
    status: 'green',
    optimizer_status: 'ok',
    segments_count: 1,
    points_count: points.size,
    indexed_vectors_count: 0,
    config: {
      params: { vectors: points.vectors },
      hnsw_config: { m: 0, payload_m: 16, ef_construct: 100, full_scan_threshold: 10_000 },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1_000,
        default_segment_number: 0,
        flush_interval_sec: 5,
      },
    },
    payload_schema: {},
  }
}

function say(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
