// Moves that are not saved yet: a stack to undo and to do again. Each ended move is kept by the server at once, so that a
// crash loses no more than the move in progress.
import {post, tellRefusal} from "./api.js";

export class Drafts {
  // `kept`: boundary by population as the server kept them (null: back to automatic).
  constructor(path, kept) {
    this.path = path;
    this.done = [{...kept}];
    this.undone = [];
    this.sending = Promise.resolve();
  }

  get now() { return this.done[this.done.length - 1]; }

  get any() { return Object.keys(this.now).length > 0; }

  has(name) { return name in this.now; }

  move(name, geometry) { this.push({...this.now, [name]: geometry}); }

  // Forget what was moved of one gate.
  leave(name) {
    const rest = {...this.now};
    delete rest[name];
    this.push(rest);
  }

  push(state) {
    this.done.push(state);
    this.undone = [];
    this.keep();
  }

  undo() {
    if (this.done.length < 2) { return false; }
    this.undone.push(this.done.pop());
    this.keep();
    return true;
  }

  redo() {
    if (!this.undone.length) { return false; }
    this.done.push(this.undone.pop());
    this.keep();
    return true;
  }

  clear() {
    this.done = [{}];
    this.undone = [];
    this.keep();
  }

  // One after the other, so that the last state is the one that stays.
  keep() {
    const state = this.now;
    this.sending = this.sending.catch(() => {}).then(() => post(this.path, {edits: state}));
    this.sending.catch(tellRefusal);  // a reader must know that a crash would take the moves
  }
}
