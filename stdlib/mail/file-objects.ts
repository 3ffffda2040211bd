// Messages and File objects meet here: what toFile() gives back, what MailMessage::File() takes.

import { type CallContext, HslObject, HslResource, type NativeClass, type Value } from '#lang';
import { File } from '../files/file.builtins.js';
import { FILE_RESOURCE, type FileContent } from '../files/file-content.js';

type FileState = typeof File extends NativeClass<infer State> ? State : never;

/** The content as a File object. */
export function contentToObject(content: FileContent, ctx: CallContext): HslObject {
  const open = File.constructorOf!.run as unknown as (file: HslResource, ctx: CallContext) => FileState;
  return ctx.instantiate(File, open(new HslResource(FILE_RESOURCE, content), ctx));
}

/** The content of a File object or a FileResource; undefined for anything else. */
export function valueToContent(value: Value): FileContent | undefined {
  if (value instanceof HslResource)
    return value.type === FILE_RESOURCE ? (value.payload as FileContent) : undefined;
  if (value instanceof HslObject && value.classOf === File) return (value.state as FileState).reader.content;
  return undefined;
}
