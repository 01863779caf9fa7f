/** What a check says. `where` is a path below the root, with a line where there is one. */
export interface Problem {
  readonly where: string
  readonly what: string
}

export interface Report {
  readonly problems: readonly Problem[]
  /** A figure worth reading although nothing is wrong. */
  readonly note?: string
}

/** Looks at the repository below `root`; an offender is a small repository of its own. */
export type Check = (root: string) => Promise<Report>
