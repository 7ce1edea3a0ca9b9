throw new Error('no licence for this plugin');
