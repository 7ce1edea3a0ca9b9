import { isAddress, parseAddress } from './address.js';
import { type DocumentSource, LOCAL_DOCUMENTS } from './document-source.js';

/** Where the metadata of what stands at a store is read. */
export async function documentsOf(store: string): Promise<DocumentSource> {
  if (!isAddress(store)) return LOCAL_DOCUMENTS;
  // Only who reads from afar needs what that takes.
  const { RemoteStore } = await import('./remote-store.js');
  return new RemoteStore(parseAddress(store));
}
