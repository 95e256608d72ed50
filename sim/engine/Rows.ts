/**
 * A row for each machine, by its index, of something that is kept about it. A fork shares all rows; one that is changed after it
 * is copied first, on whichever side.
 */
export class Rows<A> {
  private readonly copy: (row: A) => A
  private readonly rows: Array<A | undefined>
  /** Whose rows are shared with nobody. */
  private mine: Array<boolean> = []

  constructor(copy: (row: A) => A, rows: Array<A | undefined> = []) {
    this.copy = copy
    this.rows = rows
  }

  /** To be looked at only. */
  at(index: number): Readonly<A> | undefined {
    return this.rows[index]
  }

  /** To be changed. */
  own(index: number): A | undefined {
    const row = this.rows[index]
    if (row === undefined || this.mine[index] === true) return row
    return this.set(index, this.copy(row))
  }

  set(index: number, row: A): A {
    while (this.rows.length <= index) this.rows.push(undefined)
    while (this.mine.length <= index) this.mine.push(false)
    this.rows[index] = row
    this.mine[index] = true
    return row
  }

  fork(): Rows<A> {
    this.mine = []
    return new Rows(this.copy, this.rows.slice())
  }
}
