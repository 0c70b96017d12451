// Answers questions about GitHub's grammar, one JSON document a line on stdin, one answer a line on stdout:
//   {"ask": "action" | "workflow", "name": …, "content": …}   the file as plain data, or its errors with their places
//   {"ask": "evaluate", "expression": …, "contexts": …, "status": "success" | "failure" | "cancelled"}
// In plain data an expression is {"expression": …}; the conditions of steps and jobs are as the runner evaluates them.
// Nothing is run here.
import {readFileSync} from 'node:fs';
import {registerHooks} from 'node:module';
import {createInterface} from 'node:readline';

// The packages import JSON without saying so, which bundlers take and Node.js does not.
registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.json')) return next(url, context);
    return {format: 'module', source: `export default ${readFileSync(new URL(url), 'utf8')}`, shortCircuit: true};
  }
});

const {Evaluator, Lexer, Parser, data} = await import('@actions/expressions');
const {reviver} = await import('@actions/expressions/data/reviver');
const {replacer} = await import('@actions/expressions/data/replacer');
const {NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow} = await import('@actions/workflow-parser');
const {convertActionTemplate, parseAction} = await import('@actions/workflow-parser/actions/index');
const {convertToIfCondition} = await import('@actions/workflow-parser/model/converter/if-condition');
const {TokenType} = await import('@actions/workflow-parser/templates/tokens/types');

function plain(token, context) {
  switch (token.type) {
    case TokenType.Null:
      return null;
    case TokenType.Sequence:
      return Array.from(token, item => plain(item, context));
    case TokenType.Mapping:
      return Object.fromEntries(Array.from(token, ({key, value}) => [String(key), entry(String(key), value, context)]));
    case TokenType.BasicExpression:
      return {expression: token.expression};
    case TokenType.InsertExpression:
      throw new Error('an insert expression is not understood');
    default:
      return token.value;
  }
}

function entry(key, value, context) {
  const condition = key === 'if' ? convertToIfCondition(context, value) : undefined;
  return plain(condition ?? value, context);
}

function problems(context) {
  return context.errors.getErrors().map(({message, range}) => ({message, ...range?.start}));
}

const answers = {
  action({name, content}) {
    const {context, value} = parseAction({name, content}, new NoOperationTraceWriter());
    if (value) convertActionTemplate(context, value);
    return problems(context).length ? {errors: problems(context)} : {value: plain(value, context)};
  },

  async workflow({name, content}) {
    const {context, value} = parseWorkflow({name, content}, new NoOperationTraceWriter());
    if (value) await convertWorkflowTemplate(context, value);
    return problems(context).length ? {errors: problems(context)} : {value: plain(value, context)};
  },

  evaluate({expression, contexts, status}) {
    const known = JSON.parse(JSON.stringify(contexts), reviver);
    const functions = {success: 'success', failure: 'failure', cancelled: 'cancelled'};
    const own = Object.entries(functions).map(([name, when]) => truth(name, status === when));
    own.push(truth('always', true));
    const parsed = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), own).parse();
    const result = new Evaluator(parsed, known, new Map(own.map(each => [each.name, each]))).evaluate();
    return {value: JSON.parse(JSON.stringify(result, replacer)), text: result.coerceString()};
  }
};

function truth(name, value) {
  return {name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value)};
}

for await (const line of createInterface({input: process.stdin})) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await answers[question.ask](question);
  } catch (error) {
    answer = {failed: String(error.message ?? error)};
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
