/**
 * So many at once, and one more each so often: the generic cell rate algorithm (ITU-T I.371), which keeps one instant.
 *
 * Promises: pure. Whoever goes beyond it is told about once, until nothing of the budget is used up any more.
 */

export interface Budget {
  /** Until when what was spent, had it come evenly, uses it up; `mono` ms. */
  readonly until: number
  /** It was gone beyond, which has been told. */
  readonly pressing: boolean
}

export interface Rate {
  readonly atOnce: number
  readonly eachMs: number
}

export interface Spent {
  readonly budget: Budget
  readonly within: boolean
  /** That it was gone beyond is to be told now. */
  readonly tells: boolean
}

export const spend = (budget: Budget, { atOnce, eachMs }: Rate, now: number): Spent => {
  const until = Math.max(budget.until, now)
  const within = until - now <= (atOnce - 1) * eachMs
  const pressing = !within || (budget.pressing && until > now)
  return {
    budget: { until: within ? until + eachMs : until, pressing },
    within,
    tells: pressing && !budget.pressing
  }
}
