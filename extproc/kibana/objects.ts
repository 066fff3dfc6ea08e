import { trafficDashboard } from './dashboard.ts';
import { dataView } from './data-view.ts';
import type { KibanaOptions } from './options.ts';
import type { SavedObject } from './saved-object.ts';
import { savedSearches } from './searches.ts';

/**
 * Everything that Kibana gets, what is referred to first. Ids are made of the prefix and a name, so that a second
 * import overwrites the first one.
 */
export function kibanaObjects(options: KibanaOptions): SavedObject[] {
  return [dataView(options), ...savedSearches(options), trafficDashboard(options)];
}
