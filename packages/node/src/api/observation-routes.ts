/**
 * The endpoints that show how the node does: metrics, queues and limits, traffic, errors, history (PT-12, PT-14, PT-15).
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { HistoryJson, NetworkErrorsJson, TrafficJson } from '@althing/client'
import { FIGURES, RESOLUTIONS } from '../observation/index.ts'
import type { Figure, Observed, ResolutionName } from '../observation/index.ts'
import { success } from './answer.ts'
import { Metrics } from './metrics.ts'
import { errorJson, peerTrafficJson, queueStatsJson, trafficJson } from './observation-json.ts'
import { readChoice } from './parameters.ts'

export function addObservationRoutes(app: FastifyInstance, observation: Observed): void {
  const { network } = observation
  const metrics = new Metrics(observation)

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))

  app.get('/network/queue/stats', () => success(queueStatsJson(network.stats(), network.peers())))

  app.get('/network/traffic', () => {
    const stats = network.stats()
    return success<TrafficJson>({
      bytes_sent: stats.bytesSent,
      bytes_received: stats.bytesReceived,
      sent: stats.sent.map(trafficJson),
      received: stats.received.map(trafficJson),
      peers: network.knownPeers().map(peerTrafficJson),
    })
  })

  app.get('/network/errors', () => {
    const { errors, errorsByType, droppedByReason } = network.stats()
    return success<NetworkErrorsJson>({
      by_type: errorsByType,
      dropped_by_reason: droppedByReason,
      errors: errors.toReversed().map(errorJson),
    })
  })

  app.get<{ Querystring: { metric?: string; resolution?: string } }>('/network/history', ({ query }) => {
    const resolution = readChoice<ResolutionName>(
      'resolution',
      query.resolution ?? '1s',
      Object.keys(RESOLUTIONS) as ResolutionName[],
    )
    const wanted =
      query.metric === undefined ? FIGURES : [readChoice<Figure>('metric', query.metric, FIGURES)]
    const nowMs = observation.wallMs()
    return success<HistoryJson>({
      resolution,
      step_ms: RESOLUTIONS[resolution].stepMs,
      metrics: Object.fromEntries(
        wanted.map((figure) => [
          figure,
          observation.history
            .series(figure, resolution, nowMs)
            .map(({ atMs, mean, max }) => ({ at: atMs, mean, max })),
        ]),
      ),
    })
  })
}
