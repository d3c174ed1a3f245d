import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rememberingVerify } from '../src/consensus/remembering-verify.ts'

const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value)

describe('a signature that was verified', () => {
  it('is not verified again, and vouches for nothing that differs in key, message or signature (P12)', () => {
    let checks = 0
    const verify = rememberingVerify((key, message, signature) => {
      checks += 1
      return key[0] === 1 && message[0] === 2 && signature[0] === 3
    })
    assert.equal(verify(bytes(1), bytes(2), bytes(3)), true)
    assert.equal(verify(bytes(1), bytes(2), bytes(3)), true)
    assert.equal(checks, 1)
    assert.equal(verify(bytes(9), bytes(2), bytes(3)), false)
    assert.equal(verify(bytes(1), bytes(9), bytes(3)), false)
    assert.equal(verify(bytes(1), bytes(2), bytes(9)), false)
    assert.equal(checks, 4)
  })

  it('is checked each time while it does not hold, and forgotten when newer ones take its place', () => {
    let checks = 0
    const verify = rememberingVerify((_key, message) => {
      checks += 1
      return message[0] !== 0
    }, 2)
    for (const message of [0, 0, 1, 2, 3, 1]) verify(bytes(7), bytes(message), bytes(8))
    assert.equal(checks, 6)
  })
})
