export { pool } from '#services/tools/pool.ts'
