export function configKeyFindings() {
  return []
}
