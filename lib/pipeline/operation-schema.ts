import { z } from 'zod';
import { CONVERTED_TYPES, type VolumeOperation } from '../storage/operations/operation.js';

const voxels = () => z.array(z.int()).min(1).max(6);
const channel = z.int().nonnegative();

/** What can be done to an array while it is read. Whether the array allows it is found out when a run is planned. */
export const operation = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('place'),
      axisNames: z
        .array(z.string().min(1))
        .min(1)
        .max(6)
        .optional()
        .describe("One an axis; channels come first and end in '^', e.g. [c^, z, y, x]"),
      voxelSize: z
        .array(z.int().positive())
        .min(1)
        .max(6)
        .optional()
        .describe('World units, one entry a physical axis'),
      offset: voxels().optional().describe('World units of the corner'),
      units: z.array(z.string()).min(1).max(6).optional().describe("One a physical axis, e.g. 'nm'"),
    })
    .describe('Where the array lies in the world, where its attributes do not say so; before all other operations'),
  z
    .strictObject({
      type: z.literal('channels'),
      channels: z
        .union([channel, z.array(channel).min(1)])
        .describe('Channels of the first axis, from 0. A single number takes the axis away'),
    })
    .describe('Some of the channels, in this order'),
  z
    .strictObject({
      type: z.literal('slice'),
      begin: voxels().optional().describe('First voxel of each physical axis. Default: 0'),
      end: voxels().optional().describe('Voxel after the last one. Default: the end of the array'),
    })
    .describe('A part of the array; it stays where it is in the world'),
  z
    .strictObject({
      type: z.literal('flip'),
      axes: z.array(z.int().nonnegative()).min(1).max(6).describe('Physical axes, 0 = z of z, y, x'),
    })
    .describe('Mirrors axes'),
  z
    .strictObject({
      type: z.literal('scale-shift'),
      scale: z.number().optional().describe('Default: 1'),
      shift: z.number().optional().describe('Default: 0'),
    })
    .describe('v * scale + shift, as float32 (float64 of 32- and 64-bit integers and of float64)'),
  z
    .strictObject({
      type: z.literal('normalise'),
      range: z
        .union([z.tuple([z.number(), z.number()]), z.literal('omero')])
        .describe('What becomes 0 and 1; omero: the display windows of the OME-Zarr image, by channel'),
    })
    .describe('(v - low) / (high - low), clipped to [0, 1], as float32'),
  z
    .strictObject({ type: z.literal('threshold'), value: z.number() })
    .describe('1 where v is above the value, else 0, as uint8'),
  z
    .strictObject({ type: z.literal('convert'), dataType: z.enum(CONVERTED_TYPES) })
    .describe('To another type: half to even, the nearest value that it holds, NaN as 0'),
]) satisfies z.ZodType<VolumeOperation>;
