/** What paths are usually like, as the language writes it. */
import type { Flow } from "./Flow.ts"
import { defaultDelayMs } from "./Nodes.ts"
import type { NetworkSpec, Quality } from "./Scenario.ts"
import { showShare, showTimes } from "./Units.ts"

type Written = { readonly [word: string]: Flow | undefined }

const isUsualDelay = ({ delayMs }: Quality): boolean =>
  delayMs.min === defaultDelayMs.min && delayMs.max === defaultDelayMs.max

const qualityWords = (quality: Quality, otherwise: Quality | null): Written => {
  const { delayMs, lossPpm } = quality
  const delays = otherwise === null ? !isUsualDelay(quality) : showTimes(delayMs) !== showTimes(otherwise.delayMs)
  return {
    delay: delays ? showTimes(delayMs) : undefined,
    loss: lossPpm === (otherwise?.lossPpm ?? 0) ? undefined : showShare(lossPpm)
  }
}

export const pathWords = (network: NetworkSpec): Written => {
  const { betweenSites, withinSites } = network
  return {
    ...qualityWords(network, null),
    "within-sites": withinSites === undefined ? undefined : qualityWords(withinSites, network),
    "between-sites": betweenSites === undefined ? undefined : qualityWords(betweenSites, network)
  }
}
