/**
 * News about members, and the queue of what a member still has to pass on: the least told first, each at most so often, one
 * piece for each subject (SWIM, section 4.1 of the paper on dissemination).
 */
export interface News {
  readonly state: "alive" | "suspect" | "dead"
  readonly subject: number
  readonly incarnation: number
  /** Who says so. */
  readonly from: number
}

interface Waiting {
  readonly news: News
  told: number
}

export class Queue {
  private waiting: Array<Waiting> = []

  get empty(): boolean {
    return this.waiting.length === 0
  }

  /** In place of what was to be said about the same subject. */
  add(news: News): void {
    this.waiting = this.waiting.filter((other) => other.news.subject !== news.subject)
    // The newest in front: of those told equally often it goes first.
    this.waiting.unshift({ news, told: 0 })
  }

  /** What goes out now, `most` pieces at most; whatever was told `limit` times with this is forgotten. */
  take(most: number, limit: number): ReadonlyArray<News> {
    if (this.waiting.length === 0) return NOTHING
    this.waiting.sort((a, b) => a.told - b.told)
    const out = this.waiting.slice(0, most)
    for (const entry of out) entry.told++
    if (out.some(({ told }) => told >= limit)) this.waiting = this.waiting.filter(({ told }) => told < limit)
    return out.map(({ news }) => news)
  }
}

const NOTHING: ReadonlyArray<News> = []
