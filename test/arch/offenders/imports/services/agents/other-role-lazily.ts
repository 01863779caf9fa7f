export const lazily = () => import('#services/tools/pool.ts')
