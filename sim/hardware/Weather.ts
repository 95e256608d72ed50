/**
 * The weather over a simulated farm: how warm it is, what the sun takes out of the soil, and rain.
 *
 * Model: every day is alike. Temperature rises from its lowest at 05:00 to its highest at 15:00 and falls again, along smooth steps.
 * Evaporation of a day falls between 06:00 and 18:00, as a parabola; nothing evaporates at night. Rain is what the scenario says.
 *
 * Does not model: wind, humidity, clouds, seasons, and a warm day that takes more than a cold one: what a day takes is told by itself.
 */
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

const COLDEST_H = 5
const WARMEST_H = 15
const SUNRISE_H = 6
const SUNLIGHT_H = 12

export interface Shower {
  /** Since the start of the run, ms. */
  readonly atMs: number
  readonly forMs: number
  readonly mmPerHour: number
}

export interface Weather {
  /** The time of day at the start of the run, ms since midnight. */
  readonly beginsMs: number
  /** °C */
  readonly coldest: number
  readonly warmest: number
  readonly rain: ReadonlyArray<Shower>
}

/** Hours since midnight, from 0 to 24, at so many ms since the start of the run. */
const hourOf = ({ beginsMs }: Weather, ms: number): number => ((beginsMs + ms) % DAY_MS) / HOUR_MS

/** °C of the air */
export const temperature = (weather: Weather, ms: number): number => {
  const sinceColdest = (hourOf(weather, ms) - COLDEST_H + 24) % 24
  const rises = WARMEST_H - COLDEST_H
  const part = sinceColdest < rises ? sinceColdest / rises : 1 - (sinceColdest - rises) / (24 - rises)
  return weather.coldest + (weather.warmest - weather.coldest) * part * part * (3 - 2 * part)
}

/** Of what evaporates in a day, the share of it in an hour at this moment; over a day it adds up to 1. */
export const sunlight = (weather: Weather, ms: number): number => {
  const part = (hourOf(weather, ms) - SUNRISE_H) / SUNLIGHT_H
  return part <= 0 || part >= 1 ? 0 : (6 * part * (1 - part)) / SUNLIGHT_H
}

/** mm that fall between two moments. */
export const rainfall = ({ rain }: Weather, fromMs: number, toMs: number): number =>
  rain.reduce((mm, { atMs, forMs, mmPerHour }) => {
    const overlapMs = Math.min(toMs, atMs + forMs) - Math.max(fromMs, atMs)
    return overlapMs <= 0 ? mm : mm + (mmPerHour * overlapMs) / HOUR_MS
  }, 0)
